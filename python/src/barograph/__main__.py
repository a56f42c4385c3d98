"""`python -m barograph`: the `barograph` command."""

from ._cli import main

if __name__ == "__main__":
    main()
