#include <limits.h>

#include <lauxlib.h>

#include "script/engine.h"

/*
 * The library `struct`: values as the bytes that a C structure holds. A format is a row of options,
 * each with its size behind it where it takes one: b B h H l L T and iN IN are integers (small
 * letters: with a sign), f and d floats, cN and s strings, x a byte of padding; < and > are the
 * order of bytes, !N the alignment.
 */

enum { STRUCT_MAX_INTEGER = 32, STRUCT_MAX_ALIGN = 8 };

struct struct_format {
    const char *next;
    bool big_endian;
    int align;
};

static struct struct_format struct_begin(lua_State *lua)
{
    return (struct struct_format){.next = luaL_checkstring(lua, 1), .align = 1};
}

/* The number that stands next, or what it is where there is none. */
static int struct_number(lua_State *lua, struct struct_format *format, int missing)
{
    int number = 0;

    if (*format->next < '0' || *format->next > '9')
        return missing;
    while (*format->next >= '0' && *format->next <= '9') {
        int digit = *format->next++ - '0';
        if (number > (INT_MAX - digit) / 10)
            return luaL_error(lua, "integral size overflow");
        number = number * 10 + digit;
    }
    return number;
}

static size_t struct_size(lua_State *lua, struct struct_format *format, char option)
{
    int size;

    switch (option) {
    case 'B':
    case 'b':
    case 'x':
        return 1;
    case 'H':
    case 'h':
        return sizeof(short);
    case 'L':
    case 'l':
        return sizeof(long);
    case 'T':
        return sizeof(size_t);
    case 'f':
        return sizeof(float);
    case 'd':
        return sizeof(double);
    case 'c':
        return (size_t)struct_number(lua, format, 1);
    case 'I':
    case 'i':
        size = struct_number(lua, format, (int)sizeof(int));
        if (size > STRUCT_MAX_INTEGER)
            (void)luaL_error(lua, "integral size %d is larger than limit of %d", size,
                             STRUCT_MAX_INTEGER);
        return (size_t)size;
    default:
        return 0;
    }
}

static size_t struct_padding(const struct struct_format *format, char option, size_t size,
                             size_t position)
{
    size_t align = size > (size_t)format->align ? (size_t)format->align : size;

    if (size == 0 || option == 'c')
        return 0;
    return (align - (position & (align - 1))) & (align - 1);
}

/* An option that is no value: an order of bytes, an alignment, or nothing known. */
static void struct_control(lua_State *lua, struct struct_format *format, char option)
{
    if (option == ' ')
        return;
    if (option == '<' || option == '>') {
        format->big_endian = option == '>';
    } else if (option == '!') {
        int align = struct_number(lua, format, STRUCT_MAX_ALIGN);
        if (align <= 0 || (align & (align - 1)) != 0)
            (void)luaL_error(lua, "alignment %d is not a power of 2", align);
        format->align = align;
    } else {
        (void)luaL_argerror(lua, 1, lua_pushfstring(lua, "invalid format option '%c'", option));
    }
}

static bool struct_is_integer(char option)
{
    return option != '\0' && strchr("bBhHlLTiI", option) != NULL;
}

/* ---- pack ---- */

static void struct_put(struct rg_buf *out, const struct struct_format *format, uint64_t bits,
                       size_t size)
{
    for (size_t i = 0; i < size; i++) {
        size_t byte = format->big_endian ? size - 1 - i : i;
        rg_buf_append_char(out, (char)(byte < sizeof(bits) ? bits >> (8 * byte) : 0));
    }
}

/* What no integer holds is cut as the processor does. */
static uint64_t struct_integer_bits(double number)
{
    if (number < 0)
        return number >= -0x1p63 ? (uint64_t)(int64_t)number : (uint64_t)INT64_MIN;
    return number < 0x1p64 ? (uint64_t)number : 0;
}

static void struct_put_float(lua_State *lua, struct rg_buf *out, const struct struct_format *format,
                             int index, size_t size)
{
    double wide = luaL_checknumber(lua, index);
    float narrow = (float)wide;
    uint64_t bits = 0;
    uint32_t short_bits;

    memcpy(&bits, &wide, sizeof(bits));
    memcpy(&short_bits, &narrow, sizeof(short_bits));
    struct_put(out, format, size == sizeof(float) ? short_bits : bits, size);
}

static void struct_put_string(lua_State *lua, struct rg_buf *out, int index, char option,
                              size_t size)
{
    size_t len;
    const char *data = luaL_checklstring(lua, index, &len);

    if (size == 0)
        size = len;
    luaL_argcheck(lua, len >= size, index + 1, "string too short");
    rg_buf_append(out, data, size);
    if (option == 's')
        rg_buf_append_char(out, '\0');
}

static int struct_pack(lua_State *lua)
{
    struct rg_buf *out = &script_engine(lua)->scratch;
    struct struct_format format = struct_begin(lua);
    int index = 2;

    rg_buf_reset(out, 64 * 1024);
    lua_pushnil(lua); /* what stands where a value is missing */
    while (*format.next != '\0') {
        char option = *format.next++;
        size_t size = struct_size(lua, &format, option);
        struct_put(out, &format, 0, struct_padding(&format, option, size, rg_buf_len(out)));
        if (struct_is_integer(option))
            struct_put(out, &format, struct_integer_bits(luaL_checknumber(lua, index++)), size);
        else if (option == 'f' || option == 'd')
            struct_put_float(lua, out, &format, index++, size);
        else if (option == 'c' || option == 's')
            struct_put_string(lua, out, index++, option, size);
        else if (option == 'x')
            rg_buf_append_char(out, '\0');
        else
            struct_control(lua, &format, option);
    }
    lua_pushlstring(lua, rg_buf_view(out).data, rg_buf_len(out));
    return 1;
}

/* ---- unpack ---- */

static uint64_t struct_take(const struct struct_format *format, const char *data, size_t size)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < size; i++)
        bits = bits << 8 | (unsigned char)data[format->big_endian ? i : size - 1 - i];
    return bits;
}

static void struct_push_integer(lua_State *lua, char option, uint64_t bits, size_t size)
{
    bool negative = option >= 'a' && size > 0 && size <= 8 && (bits >> (8 * size - 1) & 1) != 0;

    if (negative && size < 8)
        bits |= UINT64_MAX << (8 * size);
    lua_pushnumber(lua, option >= 'a' ? (double)(int64_t)bits : (double)bits);
}

static void struct_push_float(lua_State *lua, uint64_t bits, size_t size)
{
    uint32_t short_bits = (uint32_t)bits;
    float narrow;
    double wide;

    memcpy(&narrow, &short_bits, sizeof(narrow));
    memcpy(&wide, &bits, sizeof(wide));
    lua_pushnumber(lua, size == sizeof(float) ? (double)narrow : wide);
}

static void struct_check_room(lua_State *lua, struct rg_bytes data, size_t position, size_t size)
{
    luaL_argcheck(lua, size <= data.len && position <= data.len - size, 2, "data string too short");
}

/* c0 takes its length from the value before, which goes. Returns how many values there are then. */
static int struct_push_chars(lua_State *lua, struct rg_bytes data, size_t position, size_t *size,
                             int count)
{
    if (*size == 0) {
        if (count == 0 || lua_isnumber(lua, -1) == 0)
            return luaL_error(lua, "format 'c0' needs a previous size");
        double wanted = lua_tonumber(lua, -1);
        *size = wanted >= 0 && wanted < 0x1p63 ? (size_t)wanted : SIZE_MAX;
        lua_pop(lua, 1);
        count--;
        struct_check_room(lua, data, position, *size);
    }
    lua_pushlstring(lua, data.data + position, *size);
    return count + 1;
}

static size_t struct_push_text(lua_State *lua, struct rg_bytes data, size_t position)
{
    const char *begin = data.data + position;
    const char *end = memchr(begin, '\0', data.len - position);

    if (end == NULL)
        return (size_t)luaL_error(lua, "unfinished string in data");
    lua_pushlstring(lua, begin, (size_t)(end - begin));
    return (size_t)(end - begin) + 1;
}

static int struct_unpack(lua_State *lua)
{
    struct struct_format format = struct_begin(lua);
    size_t len;
    const char *text = luaL_checklstring(lua, 2, &len);
    struct rg_bytes data = rg_bytes(text, len);
    lua_Integer first = luaL_optinteger(lua, 3, 1);
    int count = 0;

    luaL_argcheck(lua, first > 0, 3, "offset must be 1 or greater");
    size_t position = (size_t)first - 1;
    while (*format.next != '\0') {
        char option = *format.next++;
        size_t size = struct_size(lua, &format, option);
        position += struct_padding(&format, option, size, position);
        struct_check_room(lua, data, position, size);
        luaL_checkstack(lua, 2, "too many results");
        if (struct_is_integer(option)) {
            struct_push_integer(lua, option, struct_take(&format, text + position, size), size);
            count++;
        } else if (option == 'f' || option == 'd') {
            struct_push_float(lua, struct_take(&format, text + position, size), size);
            count++;
        } else if (option == 'c') {
            count = struct_push_chars(lua, data, position, &size, count);
        } else if (option == 's') {
            size = struct_push_text(lua, data, position);
            count++;
        } else if (option != 'x') {
            struct_control(lua, &format, option);
        }
        position += size;
    }
    lua_pushnumber(lua, (double)position + 1);
    return count + 1;
}

/* ---- size ---- */

static bool struct_is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static int struct_size_of(lua_State *lua)
{
    struct struct_format format = struct_begin(lua);
    size_t position = 0;

    while (*format.next != '\0') {
        char option = *format.next++;
        size_t size = struct_size(lua, &format, option);
        position += struct_padding(&format, option, size, position);
        if (option == 's')
            return luaL_argerror(lua, 1, "option 's' has no fixed size");
        if (option == 'c' && size == 0)
            return luaL_argerror(lua, 1, "option 'c0' has no fixed size");
        /* Letters and digits that mean nothing take no room. */
        if (!struct_is_alphanumeric(option))
            struct_control(lua, &format, option);
        position += size;
    }
    lua_pushnumber(lua, (double)position);
    return 1;
}

void script_open_struct(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        {"pack", struct_pack}, {"unpack", struct_unpack}, {"size", struct_size_of}, {NULL, NULL}};

    lua_newtable(lua);
    luaL_register(lua, NULL, functions);
}
