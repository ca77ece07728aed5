"""A view of a Flask program: an uploaded photo comes back covered; what cannot be cleaned comes back as a reason.

The photo is never written to disk by this program, and neither it nor its name is logged.
"""

from __future__ import annotations

import io

import flask

import medimg


def create_app(scrubber: medimg.Scrubber) -> flask.Flask:
    """The program; ``scrubber`` keeps the models loaded, and threads may share it."""
    app = flask.Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 64 << 20

    @app.post("/photos")
    def upload() -> flask.typing.ResponseReturnValue:
        sent = flask.request.files.get("photo")
        if sent is None:
            return {"reason": "no photo was sent."}, 400
        form = flask.request.form  # what the record system knows of the patient makes the checks surer
        known = medimg.KnownValues(names=tuple(form.getlist("name")), numbers=tuple(form.getlist("number")))
        made = scrubber.scrub(sent.stream.read(), known=known)
        if made.data is None:
            return {"reason": made.report.reason, "code": made.report.error_code}, 422
        answer = flask.send_file(io.BytesIO(made.data), made.media_type)
        answer.headers["X-Medimg-State"] = made.report.state  # unreviewed: a person still has to look
        return answer

    return app


if __name__ == "__main__":
    create_app(medimg.Scrubber()).run()
