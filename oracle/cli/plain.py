"""What nodes, contracts and guests say, as a terminal may show it: strangers write some of it, and control characters steer."""


def plain(text: str) -> str:
    """On one line: anything that is not printable becomes a space or a replacement character."""
    return "".join(char if char.isprintable() else " " if char.isspace() else "\ufffd" for char in text)


def plain_lines(text: str) -> str:
    """The same, but line ends stay, as those of a compiler's words."""
    return "\n".join(map(plain, text.split("\n")))
