/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/foreign/foreign_example.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct proto_span example_file(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", FOREIGN_MODELS, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    uint8_t *data = malloc(1 << 20);
    assert_non_null(data);
    size_t bytes = fread(data, 1, (1 << 20) - 1, file);
    data[bytes] = '\0';
    assert_int_equal(fclose(file), 0);
    return (struct proto_span){data, bytes};
}

void example_open(struct example *example, struct proto_span bytes, const char *schema,
                  const char *map)
{
    struct proto_fault fault = {.code = PROTO_OK};
    *example = (struct example){.map = map != NULL ? json_loads(map, 0, NULL) : NULL};
    example->schema = feature_schema_parse(proto_span_text(schema), 1, NULL, &fault);
    assert_non_null(example->schema);
    example->model = foreign_model_read(bytes, &fault);
    if (example->model == NULL) {
        fail_msg("%s", fault.message);
    }
    example->uses = calloc(example->model->feature_count + 1, sizeof *example->uses);
    if (!foreign_map_read(example->map, example->model, example->schema, example->uses, &fault) ||
        !foreign_bind(example->model, example->uses, example->schema, &example->bound, &fault)) {
        fail_msg("%s: %s", fault.field, fault.message);
    }
}

void example_close(struct example *example)
{
    foreign_bound_fini(&example->bound);
    foreign_map_fini(example->uses, example->model->feature_count);
    foreign_model_destroy(example->model);
    feature_schema_release(example->schema);
    json_decref(example->map);
}

void example_encode(const struct example *example, const double *values, uint8_t *row)
{
    struct feature_value of[EXAMPLE_CELLS] = {{.present = false}};
    for (size_t f = 0; f < example->model->feature_count; f++) {
        const struct feature_field *field =
            feature_schema_find(example->schema, proto_span_text(example->model->features[f]));
        of[field->id] = (struct feature_value){
            .present = !isnan(values[f]), .type = FEATURE_NUMBER, .number = values[f]};
    }
    feature_codebook_encode(example->bound.codebook, of, example->schema->id_count, row);
}

size_t example_cells(const char *line, double *cells)
{
    size_t count = 0;
    for (const char *at = line; *at != '\0' && *at != '\n'; at += strspn(at, " ")) {
        size_t bytes = strcspn(at, " \n");
        assert_true(count < EXAMPLE_CELLS);
        cells[count++] = bytes == 1 && *at == '-' ? (double)NAN : strtod(at, NULL);
        at += bytes;
    }
    return count;
}

void example_refused(struct proto_span bytes, const char *message)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct foreign_model *model = foreign_model_read(bytes, &fault);
    assert_null(model);
    assert_int_not_equal(fault.code, PROTO_OK);
    if (strstr(fault.message, message) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", message, fault.message);
    }
}

void example_refused_with(struct proto_span bytes, const char *from, const char *to,
                          const char *message)
{
    const char *text = (const char *)bytes.data;
    const char *found = strstr(text, from);
    assert_non_null(found);
    size_t before = (size_t)(found - text);
    size_t room = bytes.bytes + strlen(to) + 1;
    char *changed = malloc(room);
    assert_non_null(changed);
    int used = snprintf(changed, room, "%.*s%s%s", (int)before, text, to, found + strlen(from));
    example_refused((struct proto_span){(const uint8_t *)changed, (size_t)used}, message);
    free(changed);
}
