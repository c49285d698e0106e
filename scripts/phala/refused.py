"""The one error of the deployment scripts."""


class Refused(Exception):
    """What was given cannot be used; `str()` says what, and what would be right, one problem a line."""
