"""The window: drop photos, look at what was found, correct it, answer the questions, open the share folder.

It is thin. Copies are made by :mod:`medimg.batch`, decisions lie in the run folder as the command line reads them, and
what a run is stands nowhere but there. This process never decodes a photo: that is done in workers.
"""
