"""
`oracle verify`: what a bundle proves, in numbered checks, each with what was seen and what was expected.

`offline` needs the bundle alone, `onchain` what nodes say; both decide without asking anybody. `rules` numbers the checks as
docs/verification.md does.
"""
