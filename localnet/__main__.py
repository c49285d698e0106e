"""`python -m localnet`."""

from localnet.cli import main

if __name__ == "__main__":
    main()
