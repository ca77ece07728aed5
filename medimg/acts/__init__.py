"""The acts by which a person answers a run: few screens, each with the sentences it closes.

``begin`` starts, ``screen`` says what to show, ``step`` takes what a person did and gives the next state. All three
are pure: who shows the screens, on a terminal, in a window or a page, saves the run and the new cards.
"""

from medimg.acts.records import Field, Input, Line, Option, Screen, Walk
from medimg.acts.screens import screen
from medimg.acts.steps import begin, step

__all__ = ["Field", "Input", "Line", "Option", "Screen", "Walk", "begin", "screen", "step"]
