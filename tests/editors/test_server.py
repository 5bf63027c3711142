"""The language server, spoken to by pygls's own client over a pipe; and the lexer."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Error, Keyword, Name

from patternc.editors.lexer import PatternLexer
from patternc.language.syntax.builtins import PRIMITIVES

URI = "file:///a.pat"
TEXT = "let near = local(2)\n# 😀😀\nnear  + columns([0])\n"


async def _talk() -> dict[str, Any]:
    client = LanguageClient("test", "1")
    told: asyncio.Queue[lsp.PublishDiagnosticsParams] = asyncio.Queue()
    client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(lambda found: told.put_nowait(found))
    await client.start_io(sys.executable, "-m", "patternc", "lsp")
    found: dict[str, Any] = {}
    start = lsp.InitializeParams(capabilities=lsp.ClientCapabilities())
    await client.initialize_async(start)
    item = lsp.TextDocumentItem(URI, "pattern", 1, TEXT)
    client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
    found["opened"] = await told.get()
    document, at = lsp.TextDocumentIdentifier(URI), lsp.Position(2, 1)
    ask = {"text_document": document, "position": at}
    found["hover"] = await client.text_document_hover_async(lsp.HoverParams(**ask))
    found["at"] = await client.text_document_definition_async(lsp.DefinitionParams(**ask))
    found["rename"] = await client.text_document_rename_async(
        lsp.RenameParams(**ask, new_name="close_by")
    )
    found["words"] = await client.text_document_completion_async(lsp.CompletionParams(**ask))
    options = lsp.FormattingOptions(2, True)
    found["format"] = await client.text_document_formatting_async(
        lsp.DocumentFormattingParams(document, options)
    )
    newer = lsp.VersionedTextDocumentIdentifier(2, URI)
    change = lsp.TextDocumentContentChangeWholeDocument("# 😀\nfull + 😀")
    client.text_document_did_change(lsp.DidChangeTextDocumentParams(newer, [change]))
    found["changed"] = await told.get()
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()
    return found


def test_an_editor_gets_diagnostics_hover_rename_completion_and_formatting() -> None:
    found = asyncio.run(asyncio.wait_for(_talk(), 120))
    assert not found["opened"].diagnostics
    assert "let near = local(2)" in found["hover"].contents.value
    assert found["at"].range == lsp.Range(lsp.Position(0, 4), lsp.Position(0, 8))
    edits = found["rename"].changes[URI]
    assert [(edit.range.start.line, edit.new_text) for edit in edits] == [
        (0, "close_by"),
        (2, "close_by"),
    ]
    assert "sinkhorn" in {item.label for item in found["words"]}
    assert found["format"][0].new_text == TEXT.replace("near  +", "near +")
    assert found["changed"].version == 2
    (wrong,) = found["changed"].diagnostics
    # A character beyond the first plane takes two units of UTF-16.
    assert wrong.range == lsp.Range(lsp.Position(1, 7), lsp.Position(1, 9))


def test_the_lexer_is_installed_and_knows_every_word() -> None:
    lexer = get_lexer_by_name("pattern")
    for word in PRIMITIVES:
        assert next(iter(lexer.get_tokens(word)))[0] in (Name.Builtin, Keyword), word


def test_examples_have_no_characters_that_the_lexer_does_not_know() -> None:
    for path in sorted((Path(__file__).parents[2] / "examples").rglob("*.pat")):
        tokens = list(PatternLexer().get_tokens(path.read_text(encoding="utf-8")))
        assert tokens[0][0] == Comment.Single
        assert not [token for token in tokens if token[0] is Error], path
