#include <stdio.h>

#include "node/config.h"

/*
 * For tests/interop/config_get.py: reads a configuration from standard input, sets the pairs among
 * the arguments by one CONFIG SET, and prints what CONFIG GET * and CONFIG REWRITE say. Fields are
 * ended by a zero byte, as values may hold any other.
 */

static void dump_value(void *arg, const char *name, struct rg_bytes value)
{
    (void)printf("%s%c%.*s%c", name, 0, (int)value.len, value.data, 0);
}

static int dump_set(struct rg_config *config, char **argv, int argc, struct rg_buf *error)
{
    struct rg_bytes words[64];
    const char *names[64];
    int changed = 0;

    for (int i = 0; i < argc && i < 64; i++)
        words[i] = rg_bytes_str(argv[i]);
    return argc == 0 ? 0 : rg_config_set(config, words, argc, names, &changed, error);
}

int main(int argc, char **argv)
{
    static char text[65536];
    struct rg_config *config = rg_config_new();
    struct rg_buf error = {0};
    struct rg_bytes all = RG_BYTES("*");

    size_t len = fread(text, 1, sizeof(text), stdin);
    int rc = rg_config_read(config, "", rg_bytes(text, len), NULL, NULL, &error);
    if (rc == 0)
        rc = dump_set(config, argv + 1, argc - 1, &error);
    if (rc < 0)
        (void)printf("error%c%.*s%c", 0, (int)rg_buf_len(&error), rg_buf_view(&error).data, 0);
    rg_config_get(config, &all, 1, dump_value, NULL);
    rg_buf_fini(&error);
    rg_config_free(config);
    return 0;
}
