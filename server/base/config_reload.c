/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "server/base/config_value.h"

static bool option_differs(const struct base_config *a, const struct base_config *b,
                           const struct base_option_info *option)
{
    if (base_value_is_text(option->type)) {
        return strcmp(base_config_text(a, option), base_config_text(b, option)) != 0;
    }
    return base_config_number(a, option) != base_config_number(b, option);
}

/* Environment and flags cannot change while the program runs: take them over from the old one. */
static bool take_fixed(struct base_config *fresh, const struct base_config *config,
                       struct proto_fault *fault)
{
    size_t count;
    const struct base_option_info *options = base_options(&count);
    char value[BASE_VALUE_PRINT_BYTES];
    for (size_t i = 0; i < count; i++) {
        const struct base_origin *origin = &config->origins[i];
        if (origin->kind < BASE_ORIGIN_ENVIRONMENT) {
            continue;
        }
        const char *text = value;
        if (base_value_is_text(options[i].type)) {
            text = base_config_text(config, &options[i]);
        } else {
            base_config_value(config, (enum base_option)i, value, sizeof value);
        }
        if (!base_config_set(fresh, options[i].name, text, origin->kind, origin->place, fault)) {
            return false;
        }
    }
    return true;
}

/* Swapping needs no memory, so once the fresh configuration is good nothing can fail. */
static void swap_option(struct base_config *a, struct base_config *b, size_t index,
                        const struct base_option_info *option)
{
    unsigned char kept[sizeof(uint64_t)];
    size_t bytes = base_value_is_text(option->type) ? sizeof(char *)
                   : option->type == BASE_TYPE_FLAG ? sizeof(bool)
                                                    : sizeof(uint64_t);
    unsigned char *field_a = (unsigned char *)a + option->offset;
    unsigned char *field_b = (unsigned char *)b + option->offset;
    memcpy(kept, field_a, bytes);
    memcpy(field_a, field_b, bytes);
    memcpy(field_b, kept, bytes);
    struct base_origin origin = a->origins[index];
    a->origins[index] = b->origins[index];
    b->origins[index] = origin;
}

bool base_config_reload(struct base_config *config, const char *path,
                        void (*on_change)(void *context, const struct base_option_info *option),
                        void *context, struct proto_fault *fault)
{
    size_t count;
    const struct base_option_info *options = base_options(&count);
    struct base_config fresh;
    bool good = base_config_init(&fresh, fault) && take_fixed(&fresh, config, fault) &&
                (path == NULL || base_config_load_file(&fresh, path, fault)) &&
                base_config_resolve(&fresh, fault);
    for (size_t i = 0; good && i < count; i++) {
        if (!option_differs(config, &fresh, &options[i])) {
            continue;
        }
        if (options[i].apply == BASE_APPLY_RELOAD) {
            swap_option(config, &fresh, i, &options[i]);
        }
        if (on_change != NULL) {
            on_change(context, &options[i]);
        }
    }
    base_config_fini(&fresh);
    return good;
}
