"""The pages of docs/, the manual and the other READMEs as a site in build/site: `make docs`.

Pages stay where their readers find them in the repository. They are copied under the names of
PAGES, with links rewritten, and Zensical builds them, with the API from docstrings.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
STAGED, CONFIGURATION = ROOT / "build" / "docs", ROOT / "build" / "zensical.toml"
# Section, title and file of every page, in the order of the site.
PAGES = (
    ("", "patternc", "README.md"),
    ("", "First ten minutes", "docs/first-ten-minutes.md"),
    ("", "The language", "grammar/README.md"),
    ("", "Published patterns", "examples/README.md"),
    ("Using it", "Coming from another library", "docs/coming-from.md"),
    ("Using it", "In your model", "docs/in-your-model.md"),
    ("Using it", "A character model", "docs/character-model.md"),
    ("Using it", "Families of Transformers", "docs/transformers-families.md"),
    ("Using it", "Analysis", "docs/analysis.md"),
    ("Using it", "Many devices", "docs/many-devices.md"),
    ("Using it", "The command line", "docs/command-line.md"),
    ("Using it", "In your editor", "docs/editors.md"),
    ("Inside", "How it works", "docs/how-it-works.md"),
    ("Inside", "The generated file", "docs/generated-file.md"),
    ("Inside", "Extending", "docs/extending.md"),
    ("Inside", "Contributing", "CONTRIBUTING.md"),
    ("Reference", "API", "docs/api.md"),
    ("Reference", "Benchmarks", "benchmarks/README.md"),
    ("Reference", "Changelog", "CHANGELOG.md"),
    ("Reference", "Security", "SECURITY.md"),
)
_LINK = re.compile(r'(\]\(|src=")([^)"#:]+)')
_FENCE = re.compile(r"^```(mask|pattern) .*$", re.MULTILINE)  # with a length or a code behind
_SCHEME = (("default", "light"), ("slate", "dark"))


def name(file: str) -> str:
    """Where a page lies on the site."""
    if file == "README.md":
        return "index.md"
    return file.removeprefix("docs/").replace("/README", "").lower()


def staged(file: str) -> str:
    """A page with its links to pages of the site; other files it names are copied."""
    page, names = ROOT / file, {ROOT / one: name(one) for _, _, one in PAGES}

    def rewritten(found: re.Match[str]) -> str:
        target = (page.parent / found[2]).resolve()
        if target in names:
            return found[1] + names[target]
        if target.is_dir():
            target = target / "README.md" if (target / "README.md").exists() else target
            return found[1] + names.get(target, found[2])
        copy = Path("files") / target.relative_to(ROOT)
        (STAGED / copy).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(target, STAGED / copy)
        return found[1] + str(copy)

    text = _LINK.sub(rewritten, page.read_text(encoding="utf-8"))
    return _FENCE.sub(r"```\1", text).replace("```\n```", "```\n\n```")


def navigation() -> str:
    """The pages by section, as Zensical's `nav` has them."""
    entries: dict[str, list[str]] = {}
    for section, title, file in PAGES:
        entries.setdefault(section, []).append(f'{{ "{title}" = "{name(file)}" }}')
    parts = [*entries.pop("")]
    parts += [f'{{ "{section}" = [{", ".join(pages)}] }}' for section, pages in entries.items()]
    return "[\n  " + ",\n  ".join(parts) + "\n]"


def configuration() -> str:
    palettes = "".join(
        "[[project.theme.palette]]\n"
        f'media = "(prefers-color-scheme: {mode})"\nscheme = "{scheme}"\n'
        for scheme, mode in _SCHEME
    )
    return (
        '[project]\nsite_name = "patternc"\ndocs_dir = "docs"\nsite_dir = "site"\n'
        f"nav = {navigation()}\n"
        '[project.theme]\nfont = false\nfeatures = ["navigation.sections", "navigation.footer", '
        '"content.code.copy", "search.highlight"]\n'
        f"{palettes}"
        "[project.markdown_extensions]\ntables = {}\nattr_list = {}\nmd_in_html = {}\n"
        "toc.permalink = true\npymdownx.highlight = {}\npymdownx.superfences = {}\n"
        "[project.plugins.mkdocstrings.handlers.python]\n"
        f'paths = ["{ROOT}"]\n'
        "[project.plugins.mkdocstrings.handlers.python.options]\n"
        'show_root_heading = true\nshow_source = false\nmembers_order = "source"\n'
        'filters = ["!^_"]\n'
    )


def build() -> None:
    shutil.rmtree(STAGED, ignore_errors=True)
    STAGED.mkdir(parents=True)
    for _, _, file in PAGES:
        (STAGED / name(file)).parent.mkdir(parents=True, exist_ok=True)
        (STAGED / name(file)).write_text(staged(file), encoding="utf-8")
    CONFIGURATION.write_text(configuration(), encoding="utf-8")
    command = [Path(sys.executable).parent / "zensical", "build", "--clean"]
    subprocess.run([*command, "--config-file", CONFIGURATION], check=True, cwd=ROOT / "build")


if __name__ == "__main__":
    build()
