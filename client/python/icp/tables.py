# SPDX-License-Identifier: Apache-2.0
"""The tables of the protocol (protocol.json, made from proto/*.def) as data.

OPERATIONS by name, ERRORS by code, LIMITS by name; nothing of the protocol is written twice here.
"""
import json
import os
from typing import Any, Dict, FrozenSet, NamedTuple


class Operation(NamedTuple):
    name: str
    opcode: int
    lane: str  # inline, write, job, or one of those that walk the base: scan, search, measure, query
    safe: bool  # sending it twice does no harm
    reads: bool  # it answers from the data, and changes nothing
    writes: bool  # its reply may say where it stands in the log
    takes_operation: bool  # the request may carry an operation id
    json_fields: FrozenSet[str]  # of the request: text that holds JSON
    required: FrozenSet[str]  # of the reply
    info: Dict[str, Any]  # the whole row, with fields and their bounds


class ErrorInfo(NamedTuple):
    code: int
    name: str
    retryable: bool
    help: str


def _operation(row: Dict[str, Any]) -> Operation:
    return Operation(
        name=row["name"],
        opcode=row["opcode"],
        lane=row["lane"],
        safe=row["safe"],
        reads=row["role"] in ("score", "read"),
        writes=row["role"] in ("write", "admin"),
        takes_operation=any(one["name"] == "operation" for one in row["request"]),
        json_fields=frozenset(one["name"] for one in row["request"] if one["type"] == "json"),
        required=frozenset(one["name"] for one in row["reply"]
                           if one["required"]) if row["lane"] != "job" else frozenset(),
        info=row,
    )


with open(os.path.join(os.path.dirname(__file__), "protocol.json"), encoding="utf-8") as _file:
    TABLES: Dict[str, Any] = json.load(_file)

OPERATIONS = {row["name"]: _operation(row) for row in TABLES["operations"]}
ERRORS = {row["code"]: ErrorInfo(row["code"], row["name"], row["retryable"], row["help"])
          for row in TABLES["errors"]}
ERROR_CODES = {error.name: error.code for error in ERRORS.values()}
LIMITS = {row["name"]: row["value"] for row in TABLES["limits"]}
PATIENCE = {row["name"]: row["value"] for row in TABLES["patience"]}
PORT: int = TABLES["port"]
TLS_PORT: int = TABLES["tls_port"]
PROTOCOL: int = TABLES["protocol"]
REPLY: int = TABLES["flags"]["reply"]
CHECKSUM: int = TABLES["flags"]["checksum"]
MORE: int = TABLES["flags"]["more"]
