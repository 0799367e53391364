#include "node/secret.h"

/* HELLO's options in order; AUTH takes two words. */
static bool secret_of_hello(const struct rg_bytes *argv, int argc, int index)
{
    for (int i = 2; i < argc && i < index;) {
        bool auth = rg_bytes_is_nocase(argv[i], "auth");
        if (auth && i + 2 < argc && index <= i + 2)
            return true;
        i += auth ? 3 : 2;
    }
    return false;
}

static bool secret_of_config(const struct rg_bytes *argv, int index)
{
    return index % 2 == 1 && index > 2 &&
           (rg_bytes_is_nocase(argv[index - 1], "requirepass") ||
            rg_bytes_is_nocase(argv[index - 1], "masterauth") ||
            rg_bytes_is_nocase(argv[index - 1], "masteruser"));
}

bool secret_is(const struct rg_command *command, const struct rg_bytes *argv, int argc, int index)
{
    switch (command->id) {
    case RG_CMD_ID_auth:
        return index > 0;
    case RG_CMD_ID_hello:
        return secret_of_hello(argv, argc, index);
    case RG_CMD_ID_config_set:
        return secret_of_config(argv, index);
    default:
        return false;
    }
}
