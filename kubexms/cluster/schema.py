# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of cluster.yaml for editors and other programs: JSON Schema, draft 2020-12."""

from typing import Any

from kubexms.cluster.cluster import API_VERSION, KIND, Cluster


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of cluster.yaml, keys as in the file.

    It has types, patterns, bounds and defaults. Rules between fields and what is not supported yet are
    checked by :func:`kubexms.cluster.load` only.
    """
    schema = Cluster.model_json_schema(by_alias=True)
    schema.pop("title", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{KIND} {API_VERSION}",
        **schema,
    }
