#ifndef RG_CMD_GEO_ARG_H
#define RG_CMD_GEO_ARG_H

#include "cmd/cmd.h"
#include "cmd/geo_hash.h"

/* Words of the GEO commands, and what their replies share. Private to the layer. */

/* Longitude and latitude from argv[index] on. Errors: RG_EINVAL, RG_ERANGE (replied). */
RG_MUST_USE int rg_geo_arg_point(struct rg_cmd_ctx *ctx, int index, struct rg_geo_point *ret_point);
/* m, km, ft or mi, in metres. Errors: RG_EINVAL (replied). */
RG_MUST_USE int rg_geo_arg_unit(struct rg_cmd_ctx *ctx, int index, double *ret_unit_m);
void rg_geo_reply_point(struct rg_cmd_ctx *ctx, struct rg_geo_point point);
void rg_geo_reply_distance(struct rg_cmd_ctx *ctx, double distance);

#endif
