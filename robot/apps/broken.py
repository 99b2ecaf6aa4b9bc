"""An app with an error in it, found when it is imported."""

import no_such_module  # noqa: F401
