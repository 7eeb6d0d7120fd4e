"""A small spec with a family of each kind that the API has, for what is made from paths alone."""

from __future__ import annotations

from typing import Any

Node = dict[str, Any]

FLAG = "managed-agents-2026-04-01"


def bundle() -> Node:
    """Return the bundled form of the spec."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Families", "version": "1"},
        "security": [{"ApiKey": []}],
        "paths": PATHS,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"ApiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"}},
        },
        "x-api-versions": {"default": "2026-10-21", "versions": {"2026-10-21": {}}},
        "x-betas": {FLAG: {"status": "active"}, "older-2025-01-01": {"selects_shape": True}},
    }


def ref(name: str) -> Node:
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(name: str) -> Node:
    return {"oneOf": [ref(name), {"type": "null"}]}


def struct(required: str, /, **properties: Node) -> Node:
    return {"type": "object", "required": required.split(), "properties": properties}


def union(tag: str, **members: str) -> Node:
    return {
        "oneOf": [ref(name) for name in members.values()],
        "discriminator": {
            "propertyName": tag,
            "mapping": {key.replace("__", "."): ref(name)["$ref"] for key, name in members.items()},
        },
    }


TEXT: Node = {"type": "string"}
MAYBE: Node = {"type": ["string", "null"]}
WHOLE: Node = {"type": "integer"}
TIME: Node = {"type": "string", "format": "date-time"}
MAYBE_TIME: Node = {"type": ["string", "null"], "format": "date-time"}
LABELS: Node = {"type": "object", "additionalProperties": TEXT}


def const(value: str) -> Node:
    return {"type": "string", "const": value}


def page(item: str, required: str, **fields: Node) -> Node:
    data = {"type": "array", "items": ref(item)}
    return struct(f"data {required}".strip(), data=data, **fields)


SCHEMAS: Node = {
    "ErrorResponse": struct(
        "type error",
        type=const("error"),
        error=struct("type message", type=TEXT, message=TEXT),
    ),
    "Agent": struct(
        "id type name model tools metadata version created_at updated_at archived_at status",
        id={**TEXT, "description": "ID of the agent (`agent_…`)."},
        type=const("agent"),
        name=TEXT,
        description=MAYBE,
        model=ref("ModelConfig"),
        tools={"type": "array", "items": ref("Tool")},
        skills={"type": "array", "items": ref("Tool"), "maxItems": 3},
        metadata=LABELS,
        version={"type": "integer", "minimum": 1},
        created_at=TIME,
        updated_at=TIME,
        archived_at=MAYBE_TIME,
        status={"type": "string", "enum": ["archived", "active", "paused"]},
        older={**TEXT, "description": "Only in the shape of `older-2025-01-01`."},
        preview={**TEXT, "x-beta": "preview-2026-01-01"},
        parent=nullable("Agent"),
    ),
    "ModelConfig": struct(
        "id", id=TEXT, speed={"type": ["string", "null"], "enum": ["standard", "fast", None]}
    ),
    "Tool": union("type", custom="CustomTool", mcp="MCPTool", nested="NestedTool"),
    "CustomTool": struct("type name", type=const("custom"), name=TEXT, schema={"type": "object"}),
    "MCPTool": struct("type server_url", type=const("mcp"), server_url={**TEXT, "format": "uri"}),
    "NestedTool": struct(
        "type inside",
        type=const("nested"),
        inside={"type": "array", "items": ref("Tool"), "minItems": 1},
    ),
    "AgentParams": struct(
        "name model",
        name={**TEXT, "minLength": 1},
        description=MAYBE,
        model={"oneOf": [TEXT, ref("ModelConfig")]},
        tools={"type": "array", "items": ref("Tool")},
        metadata=LABELS,
    ),
    "AgentUpdateParams": struct("", name=TEXT, description=MAYBE, metadata=LABELS),
    "AgentPage": page("Agent", "next_page", next_page=MAYBE),
    "DeletedAgent": struct(
        "id type", id=TEXT, type=const("agent_deleted"), deleted={"type": "boolean"}
    ),
    "User": struct(
        "id type email role added_at",
        id={"type": "string", "pattern": "^user_[0-9A-Za-z]{24}$"},
        type=const("user"),
        email=TEXT,
        role={"type": "string", "enum": ["user", "developer", "admin"]},
        added_at=TIME,
    ),
    "UserPage": page(
        "User", "has_more", has_more={"type": "boolean"}, first_id=MAYBE, last_id=MAYBE
    ),
    "Session": struct(
        "id type agent_id title created_at",
        id={**TEXT, "description": "ID (`sesn_…`)."},
        type=const("session"),
        agent_id=TEXT,
        title=MAYBE,
        created_at=TIME,
        usage=struct("input_tokens", input_tokens={**WHOLE, "minimum": 10, "maximum": 12}),
    ),
    "SessionSummary": struct("id type", id=TEXT, type=const("session"), title=MAYBE),
    "SessionParams": struct("agent_id", agent_id=TEXT, title=TEXT),
    "SessionPage": page("SessionSummary", "next_page prev_page", next_page=MAYBE, prev_page=MAYBE),
    "Event": union(
        "type", user__message="UserMessage", agent__message="AgentMessage", session__idle="Idle"
    ),
    "UserMessage": struct(
        "id type text", id={**TEXT, "pattern": "^sevt_"}, type=const("user.message"), text=TEXT
    ),
    "AgentMessage": struct(
        "id type created_at",
        id={**TEXT, "pattern": "^sevt_"},
        type=const("agent.message"),
        created_at=TIME,
    ),
    "Idle": struct("id type", id={**TEXT, "pattern": "^sevt_"}, type=const("session.idle")),
    "EventParams": union("type", user__message="UserMessageParam"),
    "UserMessageParam": struct("type text", type=const("user.message"), text=TEXT),
    "SendParams": struct("events", events={"type": "array", "items": ref("EventParams")}),
    "Sent": struct("", data={"type": "array", "items": ref("Event")}),
    "EventPage": page("Event", "next_page", next_page=MAYBE),
    "Bucket": struct(
        "starting_at ending_at results",
        starting_at=TIME,
        ending_at=TIME,
        results={
            "type": "array",
            "items": struct(
                "amount share", amount=TEXT, share={"type": "number", "minimum": 0, "maximum": 1}
            ),
        },
    ),
    "Report": page(
        "Bucket",
        "has_more next_page data_refreshed_at",
        has_more={"type": "boolean"},
        next_page=MAYBE,
        data_refreshed_at=MAYBE_TIME,
    ),
    "Member": struct(
        "type user_id workspace_id role",
        type=const("workspace_member"),
        user_id=TEXT,
        workspace_id=TEXT,
        role=TEXT,
    ),
    "MemberParams": struct("user_id role", user_id=TEXT, role=TEXT),
    "MemberPage": page(
        "Member", "has_more", has_more={"type": "boolean"}, first_id=MAYBE, last_id=MAYBE
    ),
    "Settings": struct(
        "type enabled", type=const("settings"), enabled={"type": "boolean"}, note=MAYBE
    ),
    "SettingsParams": struct("", enabled={"type": "boolean"}, note=MAYBE),
    "Work": struct("id type state", id=TEXT, type=const("work"), state=TEXT),
    "Stats": struct("type depth", type=const("stats"), depth={**WHOLE, "exclusiveMinimum": 3}),
    "Webhook": struct(
        "id type url", id={**TEXT, "description": "`whk_…`"}, type=const("webhook"), url=TEXT
    ),
    "NewWebhook": struct(
        "id type url signing_secret",
        id={**TEXT, "description": "`whk_…`"},
        type=const("webhook"),
        url=TEXT,
        signing_secret={**TEXT, "pattern": "^whsec_[A-Za-z0-9+/=]{20,40}$"},
    ),
    "WebhookParams": struct("url", url=TEXT),
    "Upload": struct(
        "id type filename size_bytes",
        id=TEXT,
        type=const("upload"),
        filename=TEXT,
        size_bytes=WHOLE,
    ),
    "UploadParams": struct("file", file={**TEXT, "format": "binary"}),
}


def argument(name: str, where: str = "path", schema: Node | None = None) -> Node:
    return {"name": name, "in": where, "required": where == "path", "schema": schema or TEXT}


LIMIT = argument("limit", "query", {"type": "integer", "minimum": 1, "maximum": 100})
TOKEN = (LIMIT, argument("page", "query", MAYBE))
IDS = (LIMIT, argument("after_id", "query"), argument("before_id", "query"))
PROFILE = argument("anthropic-profile", "header", {"type": "integer"})


def operation(
    name: str,
    answer: str | Node | None = None,
    *parameters: Node,
    body: str | None = None,
    media: str = "application/json",
    **more: Any,
) -> Node:
    resource, _, method = name.rpartition(".")
    success: Node = {"description": "Done."}
    if answer is not None:
        schema: Node = {"schema": ref(answer) if isinstance(answer, str) else answer}
        if "items" in more:
            schema["x-item-schema"] = ref(more.pop("items"))
        success["content"] = {media: schema}
    status = more.pop("status", "200")
    refusal = {
        "description": "Refused.",
        "content": {"application/json": {"schema": ref("ErrorResponse")}},
    }
    made: Node = {
        "operationId": name.replace(".", "_"),
        "x-resource": resource,
        "x-method": method,
        "parameters": [
            {**argument("anthropic-version", "header", {"enum": ["2026-10-21"]}), "required": True},
            *parameters,
        ],
        "responses": {status: success, **dict.fromkeys(("400", "401", "404", "413"), refusal)},
        **more,
    }
    if body is not None:
        form = "multipart/form-data" if body == "UploadParams" else "application/json"
        made["requestBody"] = {"required": True, "content": {form: {"schema": ref(body)}}}
    return made


AGENT = argument("agent_id")
SESSION = argument("session_id")
WORKSPACE = argument("workspace_id")
STREAM: Node = {"type": "string"}

PATHS: Node = {
    "/v1/agents": {
        "get": operation(
            "agents.list",
            "AgentPage",
            *TOKEN,
            argument("include_archived", "query", {"type": "boolean"}),
            argument("status[]", "query", {"type": "array", "items": TEXT}),
            argument("created_at[gte]", "query", TIME),
            **{"x-pagination": ["token-cursor"]},
        ),
        "post": operation("agents.create", "Agent", PROFILE, body="AgentParams"),
    },
    "/v1/agents/{agent_id}": {
        "get": operation("agents.retrieve", "Agent", AGENT),
        "post": operation("agents.update", "Agent", AGENT, body="AgentUpdateParams"),
        "delete": operation("agents.delete", "DeletedAgent", AGENT),
    },
    "/v1/agents/{agent_id}/archive": {"post": operation("agents.archive", "Agent", AGENT)},
    "/v1/agents/{agent_id}/unarchive": {"post": operation("agents.unarchive", "Agent", AGENT)},
    "/v1/agents/{agent_id}/pause": {"post": operation("agents.pause", "Agent", AGENT)},
    "/v1/agents/{agent_id}/export": {
        "get": operation(
            "agents.export", {"type": "string", "format": "binary"}, AGENT, media="*/*"
        )
    },
    "/v1/users": {
        "get": operation("users.list", "UserPage", *IDS, **{"x-pagination": ["id-cursor"]})
    },
    "/v1/users/{user_id}": {
        "get": operation("users.retrieve", "User", argument("user_id")),
        "delete": operation("users.remove", None, argument("user_id"), status="204"),
    },
    "/v1/sessions": {
        "get": operation(
            "sessions.list",
            "SessionPage",
            *TOKEN,
            **{"x-pagination": ["two-way-cursor"], "x-beta": FLAG},
        ),
        "post": operation("sessions.create", "Session", body="SessionParams", **{"x-beta": FLAG}),
    },
    "/v1/sessions/{session_id}": {
        "get": operation("sessions.retrieve", "Session", SESSION, **{"x-beta": FLAG})
    },
    "/v1/sessions/{session_id}/events": {
        "get": operation(
            "sessions.events.list",
            "EventPage",
            SESSION,
            *TOKEN,
            **{"x-pagination": ["token-cursor"]},
        ),
        "post": operation("sessions.events.send", "Sent", SESSION, body="SendParams"),
    },
    "/v1/agents/{agent_id}/versions": {
        "get": operation(
            "agents.versions.list", "AgentPage", AGENT, *TOKEN, **{"x-pagination": ["token-cursor"]}
        )
    },
    "/v1/sessions/{session_id}/events/stream": {
        "get": operation(
            "sessions.events.stream", STREAM, SESSION, media="text/event-stream", items="Event"
        )
    },
    "/v1/sessions/{session_id}/log": {
        "get": operation(
            "sessions.log", STREAM, SESSION, media="application/x-jsonl", items="UserMessage"
        )
    },
    "/v1/report": {
        "get": operation(
            "report.list",
            "Report",
            *TOKEN,
            argument("starting_at", "query", TIME),
            **{"x-pagination": ["report-cursor"]},
        )
    },
    "/v1/workspaces/{workspace_id}/members": {
        "get": operation(
            "members.list", "MemberPage", WORKSPACE, *IDS, **{"x-pagination": ["id-cursor"]}
        ),
        "post": operation("members.add", "Member", WORKSPACE, body="MemberParams"),
    },
    "/v1/workspaces/{workspace_id}/members/{user_id}": {
        "get": operation("members.retrieve", "Member", WORKSPACE, argument("user_id")),
    },
    "/v1/settings": {
        "get": operation("settings.retrieve", "Settings"),
        "post": operation("settings.update", "Settings", body="SettingsParams"),
    },
    "/v1/work/poll": {"get": operation("work.poll", nullable("Work"))},
    "/v1/work/stats": {"get": operation("work.stats", "Stats")},
    "/v1/webhooks": {"post": operation("webhooks.create", "NewWebhook", body="WebhookParams")},
    "/v1/webhooks/{webhook_id}": {
        "get": operation("webhooks.retrieve", "Webhook", argument("webhook_id"))
    },
    "/v1/uploads": {
        "post": operation("uploads.create", "Upload", body="UploadParams", status="201")
    },
    "/v1/uploads/{upload_id}": {
        "get": operation("uploads.retrieve", "Upload", argument("upload_id"))
    },
}
