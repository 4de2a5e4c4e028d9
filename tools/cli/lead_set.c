/* SPDX-License-Identifier: Apache-2.0 */
/* Words are taken apart here and read by the server; what cannot be meant is refused before. */
#include "tools/cli/lead_set.h"

#include "tools/cli/remote_schema.h"

int lead_set_fill(const struct cli *cli, struct icp_payload *values)
{
    enum cli_option_id option = cli_option_named(cli, "set");
    size_t at = 0;
    const char *text;
    while ((text = cli_each(cli, option, &at)) != NULL) {
        const char *equals = strchr(text, '=');
        size_t bytes = equals != NULL ? (size_t)(equals - text) : 0;
        char name[PROTO_FIELD_NAME_BYTES_MAX + 1];
        if (bytes == 0 || bytes >= sizeof name) {
            return cli_fail(cli, EX_USAGE, "--set: '%s' is not FIELD=VALUE", text);
        }
        memcpy(name, text, bytes);
        name[bytes] = '\0';
        icp_payload_text(values, name, equals + 1);
    }
    return EX_OK;
}

int lead_set_check(const struct cli *cli, struct icp_client *client)
{
    int status = EX_OK;
    struct feature_schema *schema = schema_from_server(cli, client, &status);
    enum cli_option_id option = cli_option_named(cli, "set");
    size_t at = 0;
    const char *text;
    while (schema != NULL && status == EX_OK && (text = cli_each(cli, option, &at)) != NULL) {
        struct proto_span name = {(const uint8_t *)text, strcspn(text, "=")};
        if (feature_schema_find(schema, name) == NULL) {
            const struct feature_field *nearest = feature_schema_nearest(schema, name);
            status = cli_fail(cli, EX_USAGE, "--set: the schema has no field '%.*s'%s%s%s",
                              (int)name.bytes, text, nearest != NULL ? "; did you mean '" : "",
                              nearest != NULL ? nearest->name : "", nearest != NULL ? "'?" : "");
        }
    }
    feature_schema_release(schema);
    return status;
}
