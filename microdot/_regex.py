"""Regular expressions in URL patterns; imported when there is one."""
import re


def matcher(pattern, parser):
    """From a regular expression to a function of text that returns a value, or None."""
    regex = re.compile('(' + pattern + ')$')

    def convert(text):
        try:
            if not regex.match(text):
                return None
        except RuntimeError:  # MicroPython: too long to match in its stack
            return None
        return parser(text) if parser else text
    return convert
