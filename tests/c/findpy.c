// SPDX-License-Identifier: MIT
// tests/c/findpy.c -- what is found in a process, for tests/py/test_find.py:
//
//   findpy modules PID                        path, bias, build id, a line each
//   findpy symbol|section PID MODULE NAME     address - bias and size; MODULE: end of its path
//   findpy python PID                         what rch_python_find() says, a "name value" a line
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "pylayout/find.h"
#include "target/elf.h"

static int fail(const char *what, const struct rch_error *err)
{
    printf("%s: %s: %s\n", what, rch_status_words(err->code), err->message);
    return 1;
}

static void print_modules(const struct rch_modules *modules)
{
    for (size_t i = 0; i < modules->num; i++) {
        const struct rch_module *module = &modules->items[i];
        printf("%s %#" PRIx64 " ", module->path, module->bias);
        for (uint32_t j = 0; j < module->build_id_bytes; j++)
            printf("%02x", module->build_id[j]);
        printf("%s%s\n", module->is_32_bit ? " 32" : "", module->has_file ? "" : " no-file");
    }
}

static bool ends_with(const char *text, const char *end)
{
    size_t text_bytes = strlen(text), end_bytes = strlen(end);
    return end_bytes <= text_bytes && strcmp(text + text_bytes - end_bytes, end) == 0;
}

static int print_place(const struct rch_image *image, const struct rch_modules *modules,
                       bool is_symbol, const char *end, const char *name)
{
    for (size_t i = 0; i < modules->num; i++) {
        const struct rch_module *module = &modules->items[i];
        uint64_t num_bytes = 0, addr;
        if (!ends_with(module->path, end))
            continue;
        addr = is_symbol ? rch_module_symbol(image, module, name, &num_bytes)
                         : rch_module_section(image, module, name, &num_bytes);
        if (!addr) {
            printf("none\n");
            return 0;
        }
        printf("%" PRIu64 " %" PRIu64 "\n", addr - module->bias, num_bytes);
        return 0;
    }
    printf("no module %s\n", end);
    return 1;
}

static int on_modules(const struct rch_image *image, char **argv)
{
    struct rch_modules modules;
    struct rch_error err;
    int failed = 0;
    if (rch_modules_init(&modules, image, rch_alloc_default(), &err) != RCH_OK)
        return fail("modules", &err);
    if (strcmp(argv[1], "modules") == 0)
        print_modules(&modules);
    else
        failed = print_place(image, &modules, strcmp(argv[1], "symbol") == 0, argv[3], argv[4]);
    rch_modules_deinit(&modules);
    return failed;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print_differing_fields(const struct rch_layout *layout)
{
    const struct rch_layout *table = rch_layout_origin(layout);
    for (uint32_t i = 0; table && rch_layout_field_name(i); i++) {
        int32_t value = rch_layout_field_value(layout, i);
        if (value != rch_layout_field_value(table, i))
            printf("field %s %" PRId32 "\n", rch_layout_field_name(i), value);
    }
}

static int on_python(const struct rch_image *image)
{
    struct rch_python python;
    struct rch_error err;
    double start = seconds();
    if (rch_python_find(image, rch_alloc_default(), &python, &err) != RCH_OK)
        return fail("python", &err);
    printf("seconds %.4f\n", seconds() - start);
    printf("version %" PRIu32 ".%" PRIu32 ".%" PRIu32 "\n", python.major, python.minor,
           python.micro);
    printf("free_threaded %d\ndebug_build %d\n", python.is_free_threaded, python.is_debug_build);
    printf("runtime %#" PRIx64 "\ninterp %#" PRIx64 "\n", python.runtime, python.first_interp);
    printf("type %#" PRIx64 "\ndict %#" PRIx64 "\n", python.type_type, python.dict_type);
    printf("none %#" PRIx64 "\n", python.none);
    printf("subtype_traverse %#" PRIx64 "\n", python.subtype_traverse);
    printf("how %s\n", python.how);
    print_differing_fields(&python.layout);
    return 0;
}

int main(int argc, char **argv)
{
    struct rch_image_options options = {.alloc = rch_alloc_default()};
    struct rch_image *image;
    struct rch_error err;
    bool is_python = argc == 3 && strcmp(argv[1], "python") == 0;
    bool is_place =
        argc == 5 && (strcmp(argv[1], "symbol") == 0 || strcmp(argv[1], "section") == 0);
    if (!is_python && !is_place && !(argc == 3 && strcmp(argv[1], "modules") == 0)) {
        fprintf(stderr,
                "usage: findpy modules|python PID, findpy symbol|section PID MODULE NAME\n");
        return 2;
    }
    char *end;
    unsigned long pid = strtoul(argv[2], &end, 10);
    enum rch_status st =
        *end == '\0' ? rch_image_open_pid((uint32_t)pid, &options, &image, &err) : RCH_EUNSUPPORTED;
    if (st != RCH_OK)
        return fail("image", &err);
    int failed = is_python ? on_python(image) : on_modules(image, argv);
    rch_image_free(image);
    return failed;
}
