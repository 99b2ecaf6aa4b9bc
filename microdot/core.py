"""What extensions build on."""
from .http import HTTPException, print_exception  # noqa: F401
from .request import Request  # noqa: F401
from .response import Response  # noqa: F401
