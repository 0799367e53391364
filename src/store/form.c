#include "store/form.h"

#include "base/panic.h"

static const struct rg_form_ops *const forms[RG_FORMS] = {
    /* strings */
    [RG_FORM_INT] = &rg_form_int,
    [RG_FORM_INLINE] = &rg_form_inline,
    [RG_FORM_BLOCK] = &rg_form_block,

    /* hashes */
    [RG_FORM_PACKED] = &rg_form_packed,
    [RG_FORM_TABLE] = &rg_form_table,

    /* lists */
    [RG_FORM_LIST_CHUNK] = &rg_form_list_chunk,
    [RG_FORM_LIST_DIR] = &rg_form_list_dir,

    /* sets */
    [RG_FORM_SET_INTS] = &rg_form_set_ints,
    [RG_FORM_SET_PACKED] = &rg_form_set_packed,
    [RG_FORM_SET_TABLE] = &rg_form_set_table,

    /* sorted sets */
    [RG_FORM_ZSET_PACKED] = &rg_form_zset_packed,
    [RG_FORM_ZSET_TREE] = &rg_form_zset_tree,
};

const struct rg_form_ops *rg_form_ops(enum rg_form form)
{
    RG_ASSERT(form < RG_FORMS && forms[form] != NULL);
    return forms[form];
}
