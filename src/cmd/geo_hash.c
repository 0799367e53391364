#include "cmd/geo_hash.h"

#include <math.h>

#define EARTH_RADIUS_M   6372797.560856
#define MERCATOR_MAX_M   20037726.37
#define DEGREE           (M_PI / 180.0)
#define LATITUDE_BITS    UINT64_C(0x5555555555555555)
#define LONGITUDE_BITS   UINT64_C(0xaaaaaaaaaaaaaaaa)
#define STEP_BITS(steps) (64 - (steps)*2)

static double radians(double degrees)
{
    return degrees * DEGREE;
}

static double degrees(double radians)
{
    return radians / DEGREE;
}

/* ---- Bits ---- */

/* Spreads 32 bits over the even ones of 64. */
static uint64_t bits_spread(uint32_t value)
{
    uint64_t bits = value;

    bits = (bits | bits << 16) & UINT64_C(0x0000ffff0000ffff);
    bits = (bits | bits << 8) & UINT64_C(0x00ff00ff00ff00ff);
    bits = (bits | bits << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    bits = (bits | bits << 2) & UINT64_C(0x3333333333333333);
    return (bits | bits << 1) & LATITUDE_BITS;
}

static uint32_t bits_gather(uint64_t bits)
{
    bits &= LATITUDE_BITS;
    bits = (bits | bits >> 1) & UINT64_C(0x3333333333333333);
    bits = (bits | bits >> 2) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    bits = (bits | bits >> 4) & UINT64_C(0x00ff00ff00ff00ff);
    bits = (bits | bits >> 8) & UINT64_C(0x0000ffff0000ffff);
    return (uint32_t)(bits | bits >> 16);
}

struct rg_geo_hash rg_geo_encode(struct rg_geo_point point, double lat_max, unsigned step)
{
    double cells = (double)(UINT64_C(1) << step);
    double latitude = (point.latitude + lat_max) / (lat_max + lat_max) * cells;
    double longitude =
        (point.longitude + RG_GEO_LONG_MAX) / (RG_GEO_LONG_MAX + RG_GEO_LONG_MAX) * cells;

    return (struct rg_geo_hash){
        bits_spread((uint32_t)latitude) | bits_spread((uint32_t)longitude) << 1, step};
}

static struct rg_geo_area hash_area(struct rg_geo_hash hash)
{
    double cells = (double)(UINT64_C(1) << hash.step);
    uint32_t latitude = bits_gather(hash.bits);
    uint32_t longitude = bits_gather(hash.bits >> 1);
    double lat_scale = RG_GEO_LAT_MAX + RG_GEO_LAT_MAX;
    double long_scale = RG_GEO_LONG_MAX + RG_GEO_LONG_MAX;

    return (struct rg_geo_area){
        .min = {.longitude = -RG_GEO_LONG_MAX + longitude / cells * long_scale,
                .latitude = -RG_GEO_LAT_MAX + latitude / cells * lat_scale},
        .max = {.longitude = -RG_GEO_LONG_MAX + (longitude + 1.0) / cells * long_scale,
                .latitude = -RG_GEO_LAT_MAX + (latitude + 1.0) / cells * lat_scale},
    };
}

double rg_geo_score(struct rg_geo_point point)
{
    return (double)rg_geo_encode(point, RG_GEO_LAT_MAX, RG_GEO_STEP_MAX).bits;
}

/* Any double, since any sorted set may be read as places: what x86 makes of one. */
static uint64_t score_bits(double score)
{
    if (score >= 0x1p64)
        return 0;
    if (score >= 0x1p63)
        return (uint64_t)score;
    if (score >= -0x1p63)
        return (uint64_t)(int64_t)score;
    return UINT64_C(1) << 63;
}

static double between(double value, double limit)
{
    if (value > limit)
        return limit;
    return value < -limit ? -limit : value;
}

struct rg_geo_point rg_geo_decode(double score)
{
    struct rg_geo_area area = hash_area((struct rg_geo_hash){score_bits(score), RG_GEO_STEP_MAX});

    return (struct rg_geo_point){
        .longitude = between((area.min.longitude + area.max.longitude) / 2, RG_GEO_LONG_MAX),
        .latitude = between((area.min.latitude + area.max.latitude) / 2, RG_GEO_LAT_MAX)};
}

bool rg_geo_point_ok(struct rg_geo_point point)
{
    return point.longitude >= -RG_GEO_LONG_MAX && point.longitude <= RG_GEO_LONG_MAX &&
           point.latitude >= -RG_GEO_LAT_MAX && point.latitude <= RG_GEO_LAT_MAX;
}

/* ---- Distances ---- */

/* The haversine formula. */
double rg_geo_distance(struct rg_geo_point a, struct rg_geo_point b)
{
    double v = sin((radians(b.longitude) - radians(a.longitude)) / 2);
    double u = sin((radians(b.latitude) - radians(a.latitude)) / 2);

    return 2.0 * EARTH_RADIUS_M *
           asin(sqrt(u * u + cos(radians(a.latitude)) * cos(radians(b.latitude)) * v * v));
}

bool rg_geo_within(const struct rg_geo_shape *shape, struct rg_geo_point point,
                   double *ret_distance)
{
    const struct rg_geo_point *center = &shape->center;

    if (!shape->box) {
        *ret_distance = rg_geo_distance(*center, point);
        return *ret_distance <= shape->radius * shape->unit_m;
    }
    struct rg_geo_point same_latitude = {center->longitude, point.latitude};
    struct rg_geo_point same_longitude = {point.longitude, center->latitude};
    if (rg_geo_distance(point, same_latitude) > shape->width * shape->unit_m / 2 ||
        rg_geo_distance(point, same_longitude) > shape->height * shape->unit_m / 2)
        return false;
    *ret_distance = rg_geo_distance(*center, point);
    return true;
}

/* ---- Covering a shape ---- */

static struct rg_geo_area shape_bounds(const struct rg_geo_shape *shape)
{
    const struct rg_geo_point *center = &shape->center;
    double height = shape->unit_m * (shape->box ? shape->height / 2 : shape->radius);
    double width = shape->unit_m * (shape->box ? shape->width / 2 : shape->radius);
    double up = degrees(height / EARTH_RADIUS_M);
    /* Meridians draw together towards the pole: the side that is nearer to it is the wider one. */
    double side = center->latitude < 0 ? center->latitude - up : center->latitude + up;
    double across = degrees(width / EARTH_RADIUS_M / cos(radians(side)));

    return (struct rg_geo_area){
        .min = {center->longitude - across, center->latitude - up},
        .max = {center->longitude + across, center->latitude + up},
    };
}

/* Cells of this step, with their neighbours, reach as far as the radius in most places. */
static unsigned radius_step(double radius_m, double latitude)
{
    int step = -1;

    if (radius_m == 0)
        return RG_GEO_STEP_MAX;
    while (radius_m < MERCATOR_MAX_M) {
        radius_m *= 2;
        step++;
    }
    if (fabs(latitude) > 66)
        step--;
    if (fabs(latitude) > 80)
        step--;
    if (step < 1)
        return 1;
    return step > RG_GEO_STEP_MAX ? RG_GEO_STEP_MAX : (unsigned)step;
}

/* One cell on, or back, in one of the two directions; it goes round. */
static uint64_t bits_move(uint64_t bits, unsigned step, int by, uint64_t direction)
{
    uint64_t moving = bits & direction;
    uint64_t others = ~direction >> STEP_BITS(step);

    /* The cell behind the last one, of a point on the very edge, stays what it is. */
    if (by == 0)
        return bits;
    if (by > 0)
        moving += others + 1;
    else
        moving = (moving | others) - (others + 1);
    return (moving & direction >> STEP_BITS(step)) | (bits & ~direction);
}

static struct rg_geo_hash hash_neighbour(struct rg_geo_hash hash, int east, int north)
{
    hash.bits = bits_move(hash.bits, hash.step, east, LONGITUDE_BITS);
    hash.bits = bits_move(hash.bits, hash.step, north, LATITUDE_BITS);
    return hash;
}

/* Whether the neighbours of the centre's cell reach to the bounds. */
static bool neighbours_reach(struct rg_geo_hash hash, const struct rg_geo_area *bounds)
{
    return hash_area(hash_neighbour(hash, 0, 1)).max.latitude >= bounds->max.latitude &&
           hash_area(hash_neighbour(hash, 0, -1)).min.latitude <= bounds->min.latitude &&
           hash_area(hash_neighbour(hash, 1, 0)).max.longitude >= bounds->max.longitude &&
           hash_area(hash_neighbour(hash, -1, 0)).min.longitude <= bounds->min.longitude;
}

static double shape_radius_m(const struct rg_geo_shape *shape)
{
    if (!shape->box)
        return shape->radius * shape->unit_m;
    return sqrt(shape->width / 2 * (shape->width / 2) + shape->height / 2 * (shape->height / 2)) *
           shape->unit_m;
}

void rg_geo_cover(const struct rg_geo_shape *shape, struct rg_geo_hash ret_cells[RG_GEO_CELLS])
{
    static const struct {
        int east;
        int north;
    } cells[RG_GEO_CELLS] = {{0, 0}, {0, 1},  {0, -1}, {1, 0},  {-1, 0},
                             {1, 1}, {-1, 1}, {1, -1}, {-1, -1}};
    struct rg_geo_area bounds = shape_bounds(shape);
    unsigned step = radius_step(shape_radius_m(shape), shape->center.latitude);
    struct rg_geo_hash hash = rg_geo_encode(shape->center, RG_GEO_LAT_MAX, step);

    if (step > 1 && !neighbours_reach(hash, &bounds))
        hash = rg_geo_encode(shape->center, RG_GEO_LAT_MAX, --step);
    struct rg_geo_area area = hash_area(hash);
    for (unsigned i = 0; i < RG_GEO_CELLS; i++) {
        /* The shape does not reach over that side of the cell in the middle. */
        bool useless = (cells[i].north < 0 && area.min.latitude < bounds.min.latitude) ||
                       (cells[i].north > 0 && area.max.latitude > bounds.max.latitude) ||
                       (cells[i].east < 0 && area.min.longitude < bounds.min.longitude) ||
                       (cells[i].east > 0 && area.max.longitude > bounds.max.longitude);
        ret_cells[i] = step >= 2 && useless ? (struct rg_geo_hash){0}
                                            : hash_neighbour(hash, cells[i].east, cells[i].north);
    }
}

void rg_geo_cell_scores(struct rg_geo_hash cell, double *ret_min, double *ret_max)
{
    unsigned shift = (RG_GEO_STEP_MAX - cell.step) * 2;

    *ret_min = (double)(cell.bits << shift);
    *ret_max = (double)((cell.bits + 1) << shift);
}
