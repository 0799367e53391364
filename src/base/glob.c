#include "base/glob.h"

static char glob_fold(char c, bool nocase)
{
    return nocase ? rg_ascii_lower(c) : c;
}

/* Matches one byte against the class whose '[' is at *pos; moves *pos behind its ']'. */
static bool glob_class(struct rg_bytes pattern, size_t *pos, char c, bool nocase)
{
    size_t i = *pos + 1;
    bool negated = i < pattern.len && pattern.data[i] == '^';
    bool found = false;

    if (negated)
        i++;
    for (;;) {
        if (i >= pattern.len)
            break; /* an unclosed class ends with the pattern, as in Redis */
        if (pattern.data[i] == ']') {
            i++;
            break;
        }
        if (pattern.data[i] == '\\' && i + 1 < pattern.len) {
            found |= glob_fold(pattern.data[i + 1], nocase) == c;
            i += 2;
        } else if (i + 2 < pattern.len && pattern.data[i + 1] == '-') {
            unsigned char low = (unsigned char)glob_fold(pattern.data[i], nocase);
            unsigned char high = (unsigned char)glob_fold(pattern.data[i + 2], nocase);
            if (low > high) {
                unsigned char swap = low;
                low = high;
                high = swap;
            }
            found |= (unsigned char)c >= low && (unsigned char)c <= high;
            i += 3;
        } else {
            found |= glob_fold(pattern.data[i], nocase) == c;
            i++;
        }
    }
    *pos = i;
    return found != negated;
}

/* Matches the single pattern element at *pos (not '*') against c; moves *pos behind it. */
static bool glob_one(struct rg_bytes pattern, size_t *pos, char c, bool nocase)
{
    c = glob_fold(c, nocase);
    switch (pattern.data[*pos]) {
    case '?':
        (*pos)++;
        return true;
    case '[':
        return glob_class(pattern, pos, c, nocase);
    case '\\':
        if (*pos + 1 < pattern.len)
            (*pos)++;
        break;
    default:
        break;
    }
    return glob_fold(pattern.data[(*pos)++], nocase) == c;
}

bool rg_glob_match(struct rg_bytes pattern, struct rg_bytes text, bool nocase)
{
    size_t p = 0;
    size_t t = 0;
    size_t star = (size_t)-1; /* behind the last '*', and where its match began */
    size_t star_text = 0;

    while (t < text.len) {
        if (p < pattern.len && pattern.data[p] == '*') {
            star = ++p;
            star_text = t;
            continue;
        }
        if (p < pattern.len && glob_one(pattern, &p, text.data[t], nocase)) {
            t++;
            continue;
        }
        if (star == (size_t)-1)
            return false;
        /* Only the last '*' needs to be tried again, one byte longer. */
        p = star;
        t = ++star_text;
    }
    while (p < pattern.len && pattern.data[p] == '*')
        p++;
    return p == pattern.len;
}
