"""``medimg serve --page``: the whole way in a browser on this computer, for machines without the window."""
