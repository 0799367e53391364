#include <stdint.h>

#include "base/panic.h"
#include "script/script.h"

/*
 * Any bytes to the libraries that read bytes (cmsgpack, struct, cjson), and as the text of a
 * script, which is compiled and not run. The first byte says what they are for; a line of the rest
 * is the first argument, what stands behind it the second.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_call(void *arg, const struct rg_bytes *argv, int argc, struct rg_reply *reply,
                      bool *ret_refused)
{
    (void)arg;
    (void)argv;
    (void)argc;
    (void)ret_refused;
    rg_reply_null(reply);
}

/* What was read is written, and read again, in the same form. */
static const char again[] =
    "local v = cmsgpack.unpack(ARGV[1] .. ARGV[2]) local s = cmsgpack.pack(v) "
    "if type(v) ~= 'table' then assert(cmsgpack.pack(cmsgpack.unpack(s)) == s, 'FUZZ') end";

static const char *const bodies[] = {
    "return {cmsgpack.unpack(ARGV[1] .. ARGV[2])}",
    "return {cmsgpack.unpack_limit(ARGV[2], #ARGV[1], #ARGV[1])}",
    again,
    "return {struct.unpack(ARGV[1], ARGV[2])}",
    "return struct.pack(ARGV[1], 1, -2, ARGV[2], 3.5, ARGV[2], ARGV[2], 7)",
    "return struct.size(ARGV[1] .. ARGV[2])",
    "return cjson.decode(ARGV[1] .. ARGV[2])",
};
enum { FUZZ_BODIES = sizeof(bodies) / sizeof(bodies[0]) };

static void fuzz_run(struct rg_scripts *scripts, const char *body, struct rg_bytes rest)
{
    const struct rg_script *script = NULL;
    struct rg_buf out = {0};
    struct rg_reply reply = {.out = &out, .proto = 3};
    struct rg_bytes args[2];

    args[0] = rg_bytes_cut(&rest, '\n');
    args[1] = rest;
    RG_ASSERT(rg_scripts_load(scripts, rg_bytes_str(body), &script, &out) == 0);
    rg_script_run(scripts, script, NULL, 0, args, 2, &reply);
    rg_buf_append_char(&out, '\0');
    RG_ASSERT(strstr(rg_buf_view(&out).data, "FUZZ") == NULL ||
              memmem(args[0].data, args[0].len, "FUZZ", 4) != NULL ||
              memmem(args[1].data, args[1].len, "FUZZ", 4) != NULL);
    rg_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rg_rand rand;
    const struct rg_script_host host = {.call = fuzz_call, .rand = &rand};
    const struct rg_script *script = NULL;
    struct rg_buf error = {0};

    if (size == 0)
        return 0;
    rg_rand_init(&rand, 1);
    struct rg_scripts *scripts = rg_scripts_new(&host);
    struct rg_bytes rest = rg_bytes(data + 1, size - 1);
    if (data[0] % (FUZZ_BODIES + 1) < FUZZ_BODIES)
        fuzz_run(scripts, bodies[data[0] % (FUZZ_BODIES + 1)], rest);
    else if (rg_scripts_load(scripts, rest, &script, &error) < 0)
        RG_ASSERT(rg_buf_len(&error) > 0);
    rg_buf_fini(&error);
    rg_scripts_free(scripts);
    return 0;
}
