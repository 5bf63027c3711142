"""The language server: requests of an editor to questions of a document. Needs pygls."""

from __future__ import annotations

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.workspace import TextDocument

from patternc.editors.document import Completion, Document, RenameError
from patternc.language.syntax.diagnostics import Diagnostic
from patternc.language.syntax.source import SourceText, Span
from patternc.version import __version__

_SEVERITIES = {
    "error": lsp.DiagnosticSeverity.Error,
    "warning": lsp.DiagnosticSeverity.Warning,
}
_WORD = lsp.CompletionItemKind.Function
_MARKDOWN = lsp.MarkupKind.Markdown

server = LanguageServer("patternc", __version__)


def _document(uri: str) -> tuple[Document, TextDocument]:
    """The newest text of a file that is open."""
    found = server.workspace.get_text_document(uri)
    return Document(found.source), found


def _range(document: TextDocument, span: Span) -> lsp.Range:
    """A span in the units of the editor."""
    source = SourceText(document.source)
    ends = []
    for offset in (span.start, span.stop):
        line, column = source.position(offset)
        ends.append(lsp.Position(line - 1, column - 1))
    codec, lines = document.position_codec, document.lines or [""]
    return codec.range_to_client_units(lines, lsp.Range(*ends))


@server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
@server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
def check(given: lsp.DidOpenTextDocumentParams | lsp.DidChangeTextDocumentParams) -> None:
    """Tells what is wrong with a text whenever it changes."""
    document, text = _document(given.text_document.uri)
    found = [_diagnostic(each, text) for each in document.diagnostics]
    server.text_document_publish_diagnostics(
        lsp.PublishDiagnosticsParams(text.uri, found, version=text.version)
    )


def _diagnostic(found: Diagnostic, text: TextDocument) -> lsp.Diagnostic:
    message = ": ".join(part for part in (found.title, found.label) if part)
    more = [
        f"{word}: {said}" for word, said in (("note", found.note), ("help", found.help)) if said
    ]
    return lsp.Diagnostic(
        range=_range(text, found.span or Span(0, 0)),
        message="\n".join([message, *more]),
        severity=_SEVERITIES[found.severity],
        code=found.code,
        source="patternc",
    )


@server.feature(lsp.TEXT_DOCUMENT_HOVER)
def hover(given: lsp.HoverParams) -> lsp.Hover | None:
    document, text = _document(given.text_document.uri)
    offset = text.offset_at_position(given.position)
    found, span = document.hover(offset), document.word_at(offset)
    if found is None or span is None:
        return None
    return lsp.Hover(lsp.MarkupContent(_MARKDOWN, found), _range(text, span))


@server.feature(lsp.TEXT_DOCUMENT_COMPLETION)
def complete(given: lsp.CompletionParams) -> list[lsp.CompletionItem]:
    document, _ = _document(given.text_document.uri)
    return [_item(each) for each in document.completions()]


def _item(found: Completion) -> lsp.CompletionItem:
    return lsp.CompletionItem(
        label=found.word,
        kind=_WORD,
        detail=found.usage,
        documentation=lsp.MarkupContent(_MARKDOWN, found.text),
    )


@server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
def formatted(given: lsp.DocumentFormattingParams) -> list[lsp.TextEdit] | None:
    document, text = _document(given.text_document.uri)
    found = document.formatted()
    if found is None or found == document.text:
        return None
    return [lsp.TextEdit(_range(text, Span(0, len(document.text))), found)]


@server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
def definition(given: lsp.DefinitionParams) -> lsp.Location | None:
    document, text = _document(given.text_document.uri)
    span = document.definition(text.offset_at_position(given.position))
    return None if span is None else lsp.Location(text.uri, _range(text, span))


@server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
def references(given: lsp.ReferenceParams) -> list[lsp.Location]:
    document, text = _document(given.text_document.uri)
    spans = document.references(text.offset_at_position(given.position))
    return [lsp.Location(text.uri, _range(text, span)) for span in spans]


@server.feature(lsp.TEXT_DOCUMENT_RENAME)
def rename(given: lsp.RenameParams) -> lsp.WorkspaceEdit:
    document, text = _document(given.text_document.uri)
    try:
        spans = document.renamed(text.offset_at_position(given.position), given.new_name)
    except RenameError as error:
        raise JsonRpcInvalidParams(str(error)) from error
    edits = [lsp.TextEdit(_range(text, span), given.new_name) for span in spans]
    return lsp.WorkspaceEdit(changes={text.uri: edits})
