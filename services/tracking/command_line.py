"""What the commands have in common: their help is their module's docstring, with the examples after the options."""

import argparse


def described_parser(command: str, about: str | None, beside: str = "") -> argparse.ArgumentParser:
    """A parser for `command`. `about`: what it does, then a paragraph that begins with `Example:` or `Examples:`;
    `beside` follows that."""
    head, _, examples = (about or "").partition("\n\nExample")
    return argparse.ArgumentParser(
        command,
        description=head,
        epilog=f"example{examples}{beside}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
