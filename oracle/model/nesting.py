"""How deep JSON nests: bounded before anything that recurses looks at it."""


def depth_of(value: object) -> int:
    """How deep lists and dicts nest, 0 for anything else; without recursion."""
    deepest, level = 0, [value]
    while level:
        inner: list[object] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        deepest += any(isinstance(item, dict | list) for item in level)
        level = inner
    return deepest
