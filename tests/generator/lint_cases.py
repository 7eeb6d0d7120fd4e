"""One case per lint rule: an edit of the sample spec that breaks it, and a near one that is fine."""

from __future__ import annotations

from dataclasses import dataclass

Edit = tuple[str, str, str]
"""File, text to replace (empty: append to the file, or create it), replacement."""

OPENAPI = "openapi.yaml"
PATHS = "paths/notes.yaml"
NOTES = "schemas/notes/notes.yaml"
REQUESTS = "schemas/notes/requests.yaml"
PARAMETERS = "parameters.yaml"

CREATE = "/paths/~1v1~1notes/post"
LIST = "/paths/~1v1~1notes/get"
RETRIEVE = "/paths/~1v1~1notes~1{note_id}/get"
SCHEMAS = "/components/schemas"
PARAMS = f"{SCHEMAS}/NoteCreateParams"
LIST_ANSWER = f"{LIST}/responses/200/content/application~1json"
STREAM = f"{CREATE}/responses/200/content/text~1event-stream"
REQUEST = f"{CREATE}/requestBody/content/application~1json"


@dataclass(frozen=True)
class Case:
    rule: str
    broken: tuple[Edit, ...]
    pointer: str
    where: tuple[str, str]
    """File and text; the line where the text ends must be named."""
    fine: tuple[Edit, ...]
    also: tuple[str, ...] = ()
    """Other rules that the broken spec cannot help breaking."""


def replace_size(text: str) -> tuple[Edit, ...]:
    """Replace the schema of ``NoteCreateParams.size``."""
    old = (
        "    size:\n      type: integer\n      description: How large it is.\n      minimum: 1\n"
        "      x-api-version:\n        until: '2023-06-01'\n"
    )
    body = "".join(f"      {line}\n" for line in text.splitlines())
    return ((REQUESTS, old, f"    size:\n      description: How large it is.\n{body}"),)


def _rename_text_part(name: str) -> tuple[Edit, ...]:
    return tuple(
        (NOTES, old, old.replace("TextPart", name))
        for old in ("- $ref: '#/TextPart'", "text: '#/TextPart'", "TextPart:\n  type")
    )


SIZE = f"{PARAMS}/properties/size"


def _form(field: str) -> tuple[Edit, ...]:
    """Add an operation that takes a form with files in one field."""
    operation = """note:
  put:
    operationId: notes_attach
    description: Attaches files.
    tags: [Notes]
    x-resource: notes
    x-method: attach
    x-max-bytes: 1000
    x-retry: mutating
    parameters:
      - name: note_id
        in: path
        required: true
        description: Which note.
        schema:
          type: string
    requestBody:
      content:
        multipart/form-data:
          schema:
            $ref: ../schemas/notes/requests.yaml#/NoteAttachParams
    responses:
      '204':
        description: Done.
  get:
"""
    component = f"""NoteAttachParams:
  type: object
  description: Files to attach.
  properties:
    {field}:
      type: array
      description: The files.
      items:
        type: string
        format: binary
"""
    return ((PATHS, "note:\n  get:\n", operation), (REQUESTS, "", component))


_SECOND_ID = ((PATHS, "operationId: notes_list", "operationId: notes_create"),)


def _many(count: int) -> tuple[Edit, ...]:
    """Define ``count`` classes in one file and use them all."""
    names = [f"C{i:02}" for i in range(1, count + 1)]
    text = "".join(
        f"{name}:\n  type: object\n  description: One.\n  properties:\n"
        f"    id:\n      type: string\n"
        for name in names
    )
    fields = "".join(
        f"    c{name[1:]}:\n      description: One.\n      $ref: many.yaml#/{name}\n"
        for name in names
    )
    start = "    created_at:\n      type: string\n      format: date-time\n"
    return (("schemas/notes/many.yaml", "", text), (NOTES, start, start + fields))


_BETA_LINK = ((NOTES, "LinkPart:\n", "LinkPart:\n  x-beta: colors-2026-01-02\n"),)


def _within(path: str) -> tuple[Edit, ...]:
    """Bound a part of ``NoteCreateParams.content`` to a version, in that place only."""
    start = "    content:\n      description: What the note says.\n"
    bound = f"      x-api-version-within:\n        {path}:\n          until: '2023-06-01'\n"
    return ((REQUESTS, start, start + bound),)


_FAMILY = (
    (
        OPENAPI,
        "  /v1/notes/{note_id}:",
        "  /v1/rules:\n    $ref: paths/beta_rules.yaml#/rules\n  /v1/notes/{note_id}:",
    ),
    (
        "paths/beta_rules.yaml",
        "",
        """rules:
  get:
    operationId: rules_list
    description: Lists rules.
    tags: [Notes]
    x-resource: rules
    x-method: list
    x-retry: safe
    responses:
      '204':
        description: None.
""",
    ),
)


def _models(facts: str) -> tuple[Edit, ...]:
    """Add a model that goes."""
    return ((OPENAPI, "", f"x-models:\n  note-model-1:\n    {facts}\n"),)


CASES = (
    Case(
        "openapi-version",
        ((OPENAPI, "openapi: 3.1.0", "openapi: 3.0.3"),),
        "/openapi",
        (OPENAPI, "3.0.3"),
        ((OPENAPI, "openapi: 3.1.0", "openapi: 3.1.1"),),
    ),
    Case(
        "structure",
        ((NOTES, "  required: [type, url]", "  required: url"),),
        f"{SCHEMAS}/LinkPart/required",
        (NOTES, "required: url"),
        ((NOTES, "  required: [type, url]", "  required: [url, type]"),),
    ),
    Case(
        "ref-kind",
        ((PATHS, "$ref: ../parameters.yaml#/Betas", "$ref: ../responses.yaml#/BadRequest"),),
        f"{CREATE}/parameters/1/$ref",
        (PATHS, "- $ref: ../responses.yaml#/BadRequest"),
        (),
    ),
    Case(
        "ref-cycle",
        (
            (
                NOTES,
                "    created_at:",
                "    loop:\n      $ref: '#/Loop'\n      description: A loop.\n    created_at:",
            ),
            (
                NOTES,
                "",
                "Loop:\n  description: A loop.\n  oneOf:\n    - $ref: '#/Loop'\n    - type: 'null'\n",
            ),
        ),
        f"{SCHEMAS}/Loop",
        (NOTES, "Loop:"),
        (
            (
                NOTES,
                "    created_at:",
                "    loop:\n      $ref: '#/Loop'\n      description: A loop.\n    created_at:",
            ),
            (
                NOTES,
                "",
                "Loop:\n  description: A loop.\n  oneOf:\n    - type: array\n      items:\n        $ref: '#/Loop'\n    - type: 'null'\n",
            ),
        ),
        also=("union-unrepresentable",),
    ),
    Case(
        "keyword-unsupported",
        replace_size("type: integer\nnot: {const: 3}"),
        f"{SIZE}/not",
        (REQUESTS, "not:"),
        replace_size("type: integer\nmaximum: 3"),
    ),
    Case(
        "unused-component",
        ((NOTES, "", "Lost:\n  description: Lost.\n  type: string\n"),),
        f"{SCHEMAS}/Lost",
        (NOTES, "Lost:"),
        (
            (NOTES, "", "Lost:\n  description: Found.\n  type: string\n"),
            (NOTES, "    url:\n      type: string", "    url:\n      $ref: '#/Lost'"),
        ),
    ),
    Case(
        "unused-file",
        (("paths/notes.yaml", "", "old:\n  get: {}\n"),),
        "",
        (PATHS, "old:"),
        (("README.md", "", "# Not YAML\n"),),
    ),
    Case(
        "todo-text",
        ((NOTES, "description: A note.", "description: 'TODO: what is it?'"),),
        f"{SCHEMAS}/Note/description",
        (NOTES, "TODO"),
        ((NOTES, "description: A note.", "description: An entry of a todo list."),),
    ),
    Case(
        "description-missing",
        (
            (
                NOTES,
                "TextPart:\n  type: object\n  description: Some text.",
                "TextPart:\n  type: object",
            ),
        ),
        f"{SCHEMAS}/TextPart",
        (NOTES, "TextPart:"),
        ((NOTES, "description: Some text.", "description: Words."),),
    ),
    Case(
        "property-description-missing",
        (
            (
                REQUESTS,
                "    stream:\n      type: boolean\n      description: Whether to stream.",
                "    stream:\n      type: boolean",
            ),
        ),
        f"{PARAMS}/properties/stream",
        (REQUESTS, "stream:"),
        ((REQUESTS, "    stream:", "    title:\n      type: string\n    stream:"),),
    ),
    Case(
        "tag-unknown",
        (
            (
                PATHS,
                "operationId: notes_list\n    description: Lists notes.\n    tags: [Notes]",
                "operationId: notes_list\n    description: Lists notes.\n    tags: [Note]",
            ),
        ),
        f"{LIST}/tags/0",
        (PATHS, "[Note]"),
        (
            (
                PATHS,
                "operationId: notes_list\n    description: Lists notes.\n    tags: [Notes]",
                "operationId: notes_list\n    description: Lists notes.",
            ),
        ),
    ),
    Case(
        "service-missing",
        ((OPENAPI, "servers:\n  - url: https://api.example.com\n", ""),),
        "",
        (OPENAPI, "openapi: 3.1.0"),
        ((OPENAPI, "https://api.example.com", "http://localhost:8080/api"),),
    ),
    Case(
        "class-name-invalid",
        _rename_text_part("text_part"),
        f"{SCHEMAS}/text_part",
        (NOTES, "text_part:"),
        _rename_text_part("TextPart2_20261021"),
    ),
    Case(
        "schema-file",
        (
            (
                OPENAPI,
                "components:\n",
                "components:\n  schemas:\n    Size:\n      description: A size.\n      type: integer\n",
            ),
            *replace_size("$ref: ../../openapi.yaml#/components/schemas/Size"),
        ),
        f"{SCHEMAS}/Size",
        (OPENAPI, "Size:"),
        (
            (
                OPENAPI,
                "components:\n",
                "components:\n  schemas:\n    Size:\n      $ref: schemas/sizes.yaml#/Size\n",
            ),
            ("schemas/sizes.yaml", "", "Size:\n  description: A size.\n  type: integer\n"),
            *replace_size("$ref: ../../openapi.yaml#/components/schemas/Size"),
        ),
        also=("module-collision",),
    ),
    Case(
        "module-collision",
        (
            ("schemas/sizes.yaml", "", "NOTE:\n  description: A size.\n  type: integer\n"),
            *replace_size("$ref: ../sizes.yaml#/NOTE"),
        ),
        f"{SCHEMAS}/Note",
        (NOTES, "Note:"),
        (
            ("schemas/sizes.yaml", "", "Notes:\n  description: A size.\n  type: integer\n"),
            *replace_size("$ref: ../sizes.yaml#/Notes"),
        ),
    ),
    Case(
        "module-too-large",
        _many(16),
        f"{SCHEMAS}/C16",
        ("schemas/notes/many.yaml", "C16:"),
        _many(15),
    ),
    Case(
        "generated-module-collision",
        _FAMILY,
        "/paths/~1v1~1rules/get",
        ("paths/beta_rules.yaml", "get:"),
        (
            (
                PATHS,
                "x-resource: notes\n    x-method: list",
                "x-resource: notes.all\n    x-method: list",
            ),
        ),
    ),
    Case(
        "title-collision",
        (
            (NOTES, "TextPart:\n", "TextPart:\n  title: Part\n"),
            (NOTES, "LinkPart:\n", "LinkPart:\n  title: part\n"),
        ),
        f"{SCHEMAS}/TextPart/title",
        (NOTES, "title: Part"),
        (
            (NOTES, "TextPart:\n", "TextPart:\n  title: Text\n"),
            (NOTES, "LinkPart:\n", "LinkPart:\n  title: Link\n"),
        ),
    ),
    Case(
        "property-name-collision",
        (
            (
                REQUESTS,
                "    stream:",
                "    from:\n      type: string\n      description: Who.\n    from_:\n      type: string\n      description: Who.\n    stream:",
            ),
        ),
        f"{PARAMS}/properties/from_",
        (REQUESTS, "from_:"),
        (
            (
                REQUESTS,
                "    stream:",
                "    from:\n      type: string\n      description: Who.\n    form_:\n      type: string\n      description: Who.\n    stream:",
            ),
        ),
    ),
    Case(
        "operation-id-missing",
        ((PATHS, "    operationId: notes_list\n", ""),),
        LIST,
        (PATHS, "  get:"),
        ((PATHS, "operationId: notes_list", "operationId: notes_list_2"),),
    ),
    Case(
        "operation-id-duplicate",
        _SECOND_ID,
        f"{CREATE}/operationId",
        (PATHS, "operationId: notes_create"),
        (),
    ),
    Case(
        "x-resource-missing",
        ((PATHS, "    x-method: list\n", ""),),
        LIST,
        (PATHS, "  get:"),
        ((PATHS, "    x-method: list\n", "    x-method: list_all\n"),),
    ),
    Case(
        "parameter-name-invalid",
        ((PATHS, "        x-python-name: color\n", ""),),
        f"{LIST}/parameters/0/name",
        (PATHS, "color[]"),
        ((PATHS, "x-python-name: color", "x-python-name: colors"),),
    ),
    Case(
        "argument-name-collision",
        ((PATHS, "x-python-name: color", "x-python-name: limit"),),
        f"{LIST}/parameters/1",
        (PATHS, "- name: limit"),
        ((PATHS, "x-python-name: color", "x-python-name: limit_"),),
    ),
    Case(
        "parameter-duplicate",
        ((PATHS, "$ref: ../parameters.yaml#/Betas", "$ref: ../parameters.yaml#/ApiVersion"),),
        f"{CREATE}/parameters",
        (PATHS, "    parameters:"),
        (),
        also=("unused-component",),
    ),
    Case(
        "path-parameter-mismatch",
        ((OPENAPI, "/v1/notes/{note_id}", "/v1/notes/{id}"),),
        "/paths/~1v1~1notes~1{id}/get",
        (PATHS, "note:\n  get:"),
        (
            (OPENAPI, "/v1/notes/{note_id}", "/v1/notes/{id}"),
            (PATHS, "- name: note_id", "- name: id"),
        ),
    ),
    Case(
        "response-without-schema",
        (
            (
                PATHS,
                "        description: A page.\n        content:\n          application/json:\n            schema:\n              $ref: ../schemas/notes/notes.yaml#/NoteList\n",
                "        description: A page.\n        content:\n          application/json:\n",
            ),
        ),
        LIST_ANSWER,
        (PATHS, "A page.\n        content:\n          application/json:"),
        (),
        also=("unused-component", "pagination-style-unknown"),
    ),
    Case(
        "json-answer-form",
        (
            (
                PATHS,
                "              $ref: ../schemas/notes/notes.yaml#/NoteList\n",
                "              type: object\n              additionalProperties: true\n",
            ),
        ),
        f"{LIST_ANSWER}/schema",
        (PATHS, "A page.\n        content:\n          application/json:\n            schema:"),
        (),
        also=("unused-component", "pagination-style-unknown"),
    ),
    Case(
        "status-unsupported",
        ((PATHS, "      '400':", "      default:"),),
        f"{CREATE}/responses/default",
        (PATHS, "default:"),
        ((PATHS, "      '400':", "      '529':"),),
    ),
    Case(
        "media-type-unsupported",
        (("responses.yaml", "application/json:", "text/html:"),),
        "/components/responses/BadRequest/content/text~1html",
        ("responses.yaml", "text/html"),
        (),
    ),
    Case(
        "request-body-form",
        (
            (
                PATHS,
                "$ref: ../schemas/notes/requests.yaml#/NoteCreateParams",
                "$ref: ../schemas/notes/notes.yaml#/ContentPart",
            ),
            (
                "examples/notes_create/short.request.json",
                '"content": "Hello",\n  "color": "red"',
                '"type": "text", "text": ""',
            ),
            (
                "examples/notes_create/streamed.request.json",
                '"content": [{"type": "text", "text": "Hello"}], "stream": true',
                '"type": "text", "text": ""',
            ),
        ),
        f"{REQUEST}/schema",
        (PATHS, "schema:"),
        (),
        also=("unused-component", "stream-argument", "example-unpaired"),
    ),
    Case(
        "form-field",
        _form("files"),
        f"{SCHEMAS}/NoteAttachParams/properties/files",
        (REQUESTS, "    files:"),
        _form("files[]"),
    ),
    Case(
        "file-misplaced",
        replace_size("type: string\nformat: binary"),
        f"{SIZE}/format",
        (REQUESTS, "format"),
        replace_size("type: string\nformat: byte"),
    ),
    Case(
        "parameter-style",
        ((PATHS, "        explode: true\n", ""),),
        f"{LIST}/parameters/0",
        (PATHS, "- name: color[]"),
        ((PATHS, "- name: color[]", "- name: hue[]"),),
    ),
    Case(
        "pagination-style-unknown",
        ((PATHS, "x-pagination: [id-cursor]", "x-pagination: [id-cursors]"),),
        f"{LIST}/x-pagination",
        (PATHS, "x-pagination"),
        ((PATHS, "x-pagination: [id-cursor]", "x-pagination: token-cursor"),),
    ),
    Case(
        "retry-class-unknown",
        ((PATHS, "x-retry: mutating", "x-retry: never"),),
        f"{CREATE}/x-retry",
        (PATHS, "x-retry: never"),
        ((PATHS, "x-retry: mutating", "x-retry: billable"),),
    ),
    Case(
        "platform-unknown",
        ((PATHS, "x-unavailable-on: [vertex]", "x-unavailable-on: [vortex]"),),
        f"{CREATE}/x-unavailable-on/0",
        (PATHS, "vortex"),
        ((PATHS, "x-unavailable-on: [vertex]", "x-unavailable-on: [bedrock]"),),
    ),
    Case(
        "max-bytes-missing",
        ((PATHS, "    x-max-bytes: 1000\n", ""),),
        CREATE,
        (PATHS, "  post:"),
        ((PATHS, "    x-max-bytes: 1000\n", "    x-max-bytes: 1\n"),),
    ),
    Case(
        "stream-argument",
        ((PATHS, "x-stream-argument: stream", "x-stream-argument: labels"),),
        f"{CREATE}/x-stream-argument",
        (PATHS, "x-stream-argument"),
        (),
        also=("example-unpaired",),
    ),
    Case(
        "item-schema",
        (
            (
                PATHS,
                "            x-item-schema:\n              $ref: ../schemas/notes/notes.yaml#/NoteEvent\n",
                "",
            ),
        ),
        STREAM,
        (PATHS, "text/event-stream"),
        (),
        also=("unused-component",),
    ),
    Case(
        "all-of",
        replace_size("allOf: [{type: integer}]"),
        f"{SIZE}/allOf",
        (REQUESTS, "allOf"),
        replace_size("type: integer"),
    ),
    Case(
        "any-of",
        replace_size("anyOf: [{type: integer}, {type: string}]"),
        f"{SIZE}/anyOf",
        (REQUESTS, "anyOf"),
        replace_size("oneOf: [{type: integer}, {type: string}]"),
    ),
    Case(
        "nullable-3.0",
        replace_size("type: integer\nnullable: true"),
        f"{SIZE}/nullable",
        (REQUESTS, "nullable"),
        replace_size("type: [integer, 'null']"),
    ),
    Case(
        "exclusive-boolean-3.0",
        replace_size("type: integer\nexclusiveMinimum: true"),
        f"{SIZE}/exclusiveMinimum",
        (REQUESTS, "exclusiveMinimum"),
        replace_size("type: integer\nexclusiveMinimum: 0"),
    ),
    Case(
        "default-unsupported",
        replace_size("type: integer\ndefault: 3"),
        f"{SIZE}/default",
        (REQUESTS, "default: 3"),
        (
            (
                REQUESTS,
                "    stream:",
                "    default:\n      type: string\n      description: Another.\n    stream:",
            ),
        ),
    ),
    Case(
        "enum-not-scalar",
        replace_size("type: string\nenum: [a, null]"),
        f"{SIZE}/enum/1",
        (REQUESTS, "enum:"),
        replace_size("type: integer\nenum: [1, 2]"),
    ),
    Case(
        "const-type-mismatch",
        replace_size("type: string\nconst: 1"),
        f"{SIZE}/const",
        (REQUESTS, "const:"),
        replace_size("type: boolean\nconst: true"),
    ),
    Case(
        "enum-annotation-unknown-value",
        ((NOTES, "    blue:", "    bleu:"),),
        f"{SCHEMAS}/Color/x-enum/bleu",
        (NOTES, "bleu:"),
        ((NOTES, "    blue:", "    red:"),),
    ),
    Case(
        "format-unknown",
        ((NOTES, "format: date-time", "format: datetime"),),
        f"{SCHEMAS}/Note/properties/created_at/format",
        (NOTES, "format: datetime"),
        ((NOTES, "format: date-time", "format: uri"),),
    ),
    Case(
        "type-list",
        replace_size("type: [integer, string]"),
        f"{SIZE}/type",
        (REQUESTS, "type: [integer, string]"),
        replace_size("type: ['null', integer]"),
    ),
    Case(
        "type-missing",
        replace_size("type: string\nitems: {type: string}"),
        f"{SIZE}/items",
        (REQUESTS, "items: {"),
        replace_size("type: array\nitems: {type: string}"),
    ),
    Case(
        "required-unknown",
        ((REQUESTS, "required: [content]", "required: [content, colour]"),),
        f"{PARAMS}/required/1",
        (REQUESTS, "[content, colour"),
        (
            (REQUESTS, "required: [content]", "required: [content, stream]"),
            ("examples/notes_create/short.request.json", '"red"', '"red", "stream": false'),
        ),
        also=("example-invalid",),
    ),
    Case(
        "additional-properties-typed-with-properties",
        (
            (
                NOTES,
                "TextPart:\n  type: object",
                "TextPart:\n  additionalProperties: {type: string}\n  type: object",
            ),
        ),
        f"{SCHEMAS}/TextPart/additionalProperties",
        (NOTES, "additionalProperties"),
        (
            (
                NOTES,
                "TextPart:\n  type: object",
                "TextPart:\n  additionalProperties: true\n  type: object",
            ),
        ),
    ),
    Case(
        "inline-object",
        replace_size("type: object\nproperties: {id: {type: string}}"),
        SIZE,
        (REQUESTS, "size:"),
        replace_size("type: object\nadditionalProperties: true"),
    ),
    Case(
        "ref-siblings",
        replace_size("$ref: notes.yaml#/Color\nminLength: 1"),
        f"{SIZE}/minLength",
        (REQUESTS, "minLength"),
        replace_size("$ref: notes.yaml#/Color\ndeprecated: true"),
        also=("type-missing",),
    ),
    Case(
        "schema-empty",
        replace_size("type: array\nitems: {}"),
        f"{SIZE}/items",
        (REQUESTS, "items: {}"),
        replace_size("type: array\nitems: {description: Anything.}"),
    ),
    Case(
        "union-without-discriminator",
        replace_size("oneOf: [{$ref: notes.yaml#/TextPart}, {$ref: notes.yaml#/LinkPart}]"),
        f"{SIZE}/oneOf",
        (REQUESTS, "oneOf: [{$ref"),
        replace_size("oneOf: [{$ref: notes.yaml#/TextPart}, {type: string}]"),
    ),
    Case(
        "union-unrepresentable",
        replace_size("oneOf: [{type: string}, {type: string, const: auto}]"),
        f"{SIZE}/oneOf/1",
        (REQUESTS, "const: auto"),
        replace_size("oneOf: [{type: integer}, {type: string, const: auto}, {type: 'null'}]"),
    ),
    Case(
        "discriminator-mapping-incomplete",
        ((NOTES, "      mail: '#/LinkPart'\n", ""),),
        f"{SCHEMAS}/ContentPart/discriminator/mapping",
        (NOTES, "    mapping:"),
        (),
        also=("example-invalid",),
    ),
    Case(
        "extension-unknown",
        ((PATHS, "x-retry: mutating", "x-retry: mutating\n    x-retries: 3"),),
        f"{CREATE}/x-retries",
        (PATHS, "x-retries"),
        (),
    ),
    Case(
        "x-extension-misplaced",
        ((NOTES, "LinkPart:\n", "LinkPart:\n  x-retry: safe\n"),),
        f"{SCHEMAS}/LinkPart/x-retry",
        (NOTES, "x-retry"),
        ((NOTES, "LinkPart:\n", "LinkPart:\n  x-beta: colors-2026-01-02\n"),),
    ),
    Case(
        "beta-form",
        ((REQUESTS, "        default: colors-2026-01-02\n", ""),),
        f"{PARAMS}/properties/color/x-beta",
        (REQUESTS, "x-beta"),
        (
            (
                REQUESTS,
                "any_of: [colors-2026-01-02, colors-2025-01-02]\n        default: colors-2026-01-02\n",
                "any_of: [colors-2026-01-02]\n        unless_model: [claude-opus-5-5]\n",
            ),
        ),
    ),
    Case(
        "beta-unknown",
        ((REQUESTS, "colors-2025-01-02", "colors-2024-01-02"),),
        f"{PARAMS}/properties/color/x-beta",
        (REQUESTS, "x-beta"),
        (),
    ),
    Case(
        "beta-registry",
        ((OPENAPI, "status: deprecated", "status: obsolete"),),
        "/x-betas/colors-2025-01-02/status",
        (OPENAPI, "obsolete"),
        ((OPENAPI, "status: deprecated", "status: active"),),
    ),
    Case(
        "selects-shape-derived",
        replace_size("type: integer\nx-beta: shapes-2026-01-02"),
        f"{SIZE}/x-beta",
        (REQUESTS, "x-beta: shapes"),
        replace_size("type: integer\nx-beta: {via_beta_namespace: shapes-2026-01-02}"),
    ),
    Case(
        "anthropic-beta-enum-out-of-sync",
        (("schemas/headers.yaml", "    - colors-2025-01-02\n", ""),),
        "/x-betas/colors-2025-01-02",
        (OPENAPI, "colors-2025-01-02:"),
        (),
    ),
    Case(
        "api-version-unknown",
        ((REQUESTS, "until: '2023-06-01'", "until: '2023-06-02'"),),
        f"{SIZE}/x-api-version/until",
        (REQUESTS, "until"),
        ((REQUESTS, "until: '2023-06-01'", "since: '2023-06-01'"),),
    ),
    Case(
        "error-code-unknown",
        ((PATHS, "[note_too_long]", "[note_too_short]"),),
        f"{CREATE}/x-error-codes/0",
        (PATHS, "note_too_short"),
        (),
    ),
    Case(
        "model-registry",
        _models("retires_on: '2026-13-01'"),
        "/x-models/note-model-1/retires_on",
        (OPENAPI, "2026-13-01"),
        _models("retires_on: '2026-12-01'"),
    ),
    Case(
        "request-headers-misplaced",
        (
            (
                PATHS,
                "short.response.json",
                "short.response.json\n                x-request-headers: {a: b}",
            ),
        ),
        f"{CREATE}/responses/200/content/application~1json/examples/short/x-request-headers",
        (PATHS, "{a: b}"),
        (),
    ),
    Case(
        "beta-unreachable",
        replace_size("type: array\nitems:\n  type: array\n  items: {$ref: notes.yaml#/LinkPart}")
        + _BETA_LINK,
        SIZE,
        (REQUESTS, "size:"),
        replace_size("type: array\nitems: {$ref: notes.yaml#/LinkPart}") + _BETA_LINK,
    ),
    Case(
        "api-version-place-unknown",
        _within("link.address"),
        f"{PARAMS}/properties/content/x-api-version-within/link.address",
        (REQUESTS, "link.address:"),
        _within("link.url"),
    ),
    Case(
        "example-missing",
        (
            (
                PATHS,
                "            examples:\n              page:\n                externalValue: ../examples/notes_list/page.response.json\n",
                "",
            ),
        ),
        LIST_ANSWER,
        (PATHS, "A page.\n        content:\n          application/json:"),
        (),
        also=("example-unreferenced",),
    ),
    Case(
        "example-unreferenced",
        (("examples/notes_list/lost.json", "", "{}\n"),),
        "",
        ("examples/notes_list/lost.json", "{}"),
        (("examples/README.md", "", "# About\n"),),
    ),
    Case(
        "example-unpaired",
        (("examples/notes_create/streamed.request.json", "true", "false"),),
        f"{REQUEST}/examples/streamed/value",
        (PATHS, "streamed.request.json"),
        (("examples/notes_create/short.request.json", '"red"', '"red", "stream": false'),),
    ),
    Case(
        "example-invalid",
        (("examples/notes_create/short.response.json", '"mailto:a@example.com"', "3"),),
        f"{CREATE}/responses/200/content/application~1json/examples/short/value/content/1/url",
        ("examples/notes_create/short.response.json", '"mail"'),
        (("examples/notes_create/short.response.json", '"mailto:a@example.com"', '"x"'),),
    ),
    Case(
        "example-error-code",
        (("examples/errors/too_long.json", "note_too_long", "note_too_big"),),
        "/components/responses/BadRequest/content/application~1json/examples/too_long/value",
        ("examples/errors/too_long.json", "note_too_big"),
        (("examples/errors/too_long.json", '{"error_code": "note_too_long"}', "null"),),
    ),
)
