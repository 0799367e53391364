#ifndef RG_CMD_GEO_HASH_H
#define RG_CMD_GEO_HASH_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Places on the globe as numbers: latitude and longitude, each cut in halves `step` times, their
 * bits taking turns. Latitudes end where the square map of Mercator does. Private to the layer.
 */
enum { RG_GEO_STEP_MAX = 26 };
#define RG_GEO_LONG_MAX 180.0
#define RG_GEO_LAT_MAX  85.05112878

struct rg_geo_point {
    double longitude;
    double latitude;
};

struct rg_geo_hash {
    uint64_t bits;
    unsigned step; /* 0: none */
};

struct rg_geo_area {
    struct rg_geo_point min;
    struct rg_geo_point max;
};

/* A circle (radius) or a box, in units of so many metres. */
struct rg_geo_shape {
    struct rg_geo_point center;
    bool box;
    double radius;
    double width;
    double height;
    double unit_m;
};

/* latitudes reach from -lat_max to lat_max. The point is within. */
struct rg_geo_hash rg_geo_encode(struct rg_geo_point point, double lat_max, unsigned step);
/* A score of a sorted set, and the middle of the cell that one stands for. */
double rg_geo_score(struct rg_geo_point point);
struct rg_geo_point rg_geo_decode(double score);
bool rg_geo_point_ok(struct rg_geo_point point);

/* In metres, on a sphere. */
double rg_geo_distance(struct rg_geo_point a, struct rg_geo_point b);
/* Whether the point is in the shape; how far it is from the centre then. */
bool rg_geo_within(const struct rg_geo_shape *shape, struct rg_geo_point point,
                   double *ret_distance);

/*
 * Cells that cover the shape: the one of its centre and its neighbours, those of step 0 left out.
 * Each stands for the scores in [min, max).
 */
enum { RG_GEO_CELLS = 9 };
void rg_geo_cover(const struct rg_geo_shape *shape, struct rg_geo_hash ret_cells[RG_GEO_CELLS]);
void rg_geo_cell_scores(struct rg_geo_hash cell, double *ret_min, double *ret_max);

#endif
