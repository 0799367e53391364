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

static bool secret_of_migrate(const struct rg_bytes *argv, int index)
{
    enum { OPTIONS_AT = 6 };

    for (int i = OPTIONS_AT; i < index && !rg_bytes_is_nocase(argv[i], "keys"); i++) {
        int words = rg_bytes_is_nocase(argv[i], "auth")    ? 1
                    : rg_bytes_is_nocase(argv[i], "auth2") ? 2
                                                           : 0;
        if (index <= i + words)
            return true;
        i += words;
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
    case RG_CMD_ID_migrate:
        return secret_of_migrate(argv, index);
    case RG_CMD_ID_config_set:
        return secret_of_config(argv, index);
    default:
        return false;
    }
}
