#ifndef RG_NODE_PAYLOAD_H
#define RG_NODE_PAYLOAD_H

#include "base/time.h"
#include "cmd/cmd.h"

/* Values as DUMP gives them and RESTORE takes them, in the form of RDB files (log/rdb.h). */
struct rg_payload_codec {
    struct rg_cmd_codec cmd;        /* what commands see */
    const struct rg_access *access; /* borrowed, as the others */
    const struct rg_time *now;
    const bool *compress; /* rdbcompression */
};

void rg_payload_codec_init(struct rg_payload_codec *codec, const struct rg_access *access,
                           const struct rg_time *now, const bool *compress);

#endif
