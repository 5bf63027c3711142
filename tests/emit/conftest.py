import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def module_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Generated modules of the tests go where pytest clears up."""
    os.environ["PATTERNC_CACHE_DIR"] = str(tmp_path_factory.mktemp("modules"))
