// SPDX-License-Identifier: MIT
// Claims about where boxes and arrows go: nothing covers anything, arrows lead on, lines are straight.
#include <math.h>
#include <string.h>

#include "render/layout.h"
#include "support.h"

enum { MAX_BOXES = 64, MAX_ARROWS = 256 };

struct plan {
    struct rch_layout_box boxes[MAX_BOXES];
    struct rch_layout_arrow arrows[MAX_ARROWS];
    uint32_t num_boxes, num_arrows;
    struct rch_layout layout;
};

static void add_arrow(struct plan *plan, uint32_t from, uint32_t to, double across)
{
    plan->arrows[plan->num_arrows++] = (struct rch_layout_arrow){
        .from = from, .to = to, .across = across, .along = across > 0 ? 15 : 0};
}

static void add_boxes(struct plan *plan, uint32_t num)
{
    for (uint32_t i = 0; i < num; i++)
        plan->boxes[plan->num_boxes++] =
            (struct rch_layout_box){.across = 40, .along = 20, .layer = UINT32_MAX};
}

static void lay_out(struct plan *plan)
{
    struct rch_error err = {0};
    assert_ok(rch_layout(&plan->layout, rch_alloc_default(), plan->boxes, plan->num_boxes,
                         plan->arrows, plan->num_arrows, &err),
              &err);
}

/// Any boxes and arrows, cycles and arrows to oneself among them.
static void fill_randomly(struct plan *plan, uint64_t *seed)
{
    memset(plan, 0, sizeof(*plan));
    uint32_t num = 1 + (uint32_t)(next_random(seed) % 40);
    bool has_layers = next_random(seed) % 3 == 0;
    add_boxes(plan, num);
    for (uint32_t i = 0; i < num; i++) {
        plan->boxes[i].across = 10 + (double)(next_random(seed) % 200);
        plan->boxes[i].along = 10 + (double)(next_random(seed) % 40);
        plan->boxes[i].layer = has_layers ? (uint32_t)(next_random(seed) % 5) : UINT32_MAX;
    }
    for (uint32_t i = 0; i < num * 2 && i < MAX_ARROWS; i++) {
        add_arrow(plan, (uint32_t)(next_random(seed) % num), (uint32_t)(next_random(seed) % num),
                  (double)(next_random(seed) % 3) * 40);
        plan->arrows[i].is_line_after = next_random(seed) % 2;
    }
}

struct area {
    double left, right, top, foot;  // left and right are across
};

static const struct rch_layout_bend *bend_at(const struct plan *plan, uint32_t i)
{
    return &RCH_VEC_AT(&plan->layout.bends, struct rch_layout_bend, i);
}

/// What must not be covered: boxes, names with their lines, and every bend.
static uint32_t list_areas(const struct plan *plan, struct area *areas)
{
    uint32_t num = 0;
    for (uint32_t i = 0; i < plan->num_boxes; i++) {
        const struct rch_layout_box *box = &plan->boxes[i];
        areas[num++] = (struct area){
            box->at_across - box->across / 2, box->at_across + box->across / 2 + box->trailing,
            box->at_along - box->along / 2, box->at_along + box->along / 2};
    }
    for (uint32_t i = 0; i < plan->num_arrows; i++) {
        const struct rch_layout_arrow *arrow = &plan->arrows[i];
        for (uint32_t k = arrow->first_bend; k < arrow->first_bend + arrow->num_bends; k++) {
            const struct rch_layout_bend *bend = bend_at(plan, k);
            double before = 0, after = 0;
            if (k == arrow->name_bend)
                *(arrow->is_line_after ? &before : &after) = arrow->across;
            areas[num++] = (struct area){bend->across - before, bend->across + after,
                                         fmin(bend->along_begin, bend->along_end),
                                         fmax(bend->along_begin, bend->along_end)};
        }
    }
    return num;
}

static bool overlap(const struct area *a, const struct area *b)
{
    const double slack = 1e-6;
    return a->left + slack < b->right && b->left + slack < a->right && a->top + slack < b->foot &&
           b->top + slack < a->foot;
}

static void nothing_covers_anything(void **state)
{
    (void)state;
    static struct plan plan;
    static struct area areas[1 << 16];
    uint64_t seed = 4;
    for (int round = 0; round < 300; round++) {
        fill_randomly(&plan, &seed);
        lay_out(&plan);
        uint32_t num = list_areas(&plan, areas);
        for (uint32_t i = 0; i < num; i++) {
            assert_true(areas[i].left > -1e-6 && areas[i].right < plan.layout.across + 1e-6);
            assert_true(areas[i].top > -1e-6 && areas[i].foot < plan.layout.along + 1e-6);
            for (uint32_t k = 0; k < i; k++)
                assert_false(overlap(&areas[i], &areas[k]));
        }
        rch_layout_deinit(&plan.layout);
    }
}

static void the_same_plan_is_laid_out_the_same(void **state)
{
    (void)state;
    static struct plan first, second;
    uint64_t seed = 5, again = 5;
    for (int round = 0; round < 20; round++) {
        fill_randomly(&first, &seed);
        fill_randomly(&second, &again);
        lay_out(&first);
        lay_out(&second);
        assert_int_equal(first.layout.bends.num, second.layout.bends.num);
        for (uint32_t i = 0; i < first.num_boxes; i++)
            assert_true(first.boxes[i].at_across == second.boxes[i].at_across &&
                        first.boxes[i].at_along == second.boxes[i].at_along);
        rch_layout_deinit(&first.layout);
        rch_layout_deinit(&second.layout);
    }
}

static void arrows_lead_on_but_for_those_that_close_a_cycle(void **state)
{
    (void)state;
    static struct plan plan;
    memset(&plan, 0, sizeof(plan));
    add_boxes(&plan, 5);
    add_arrow(&plan, 0, 1, 0);
    add_arrow(&plan, 1, 2, 30);
    add_arrow(&plan, 2, 3, 0);
    add_arrow(&plan, 0, 3, 30);
    add_arrow(&plan, 3, 1, 30);  // closes one
    add_arrow(&plan, 4, 3, 0);
    add_arrow(&plan, 2, 2, 30);
    lay_out(&plan);
    for (uint32_t i = 0; i < plan.num_arrows; i++) {
        const struct rch_layout_arrow *arrow = &plan.arrows[i];
        double from = plan.boxes[arrow->from].at_along, to = plan.boxes[arrow->to].at_along;
        if (arrow->from == arrow->to)
            assert_int_equal(arrow->num_bends, 0);
        else
            assert_true(i == 4 ? from > to : from < to);
    }
    const struct rch_layout_arrow *back = &plan.arrows[4];
    assert_true(bend_at(&plan, back->first_bend)->along_begin >
                bend_at(&plan, back->first_bend + back->num_bends - 1)->along_begin);
    assert_true(plan.boxes[4].at_along == plan.boxes[2].at_along);  // near what it points to
    rch_layout_deinit(&plan.layout);
}

static void a_chain_is_a_straight_line(void **state)
{
    (void)state;
    static struct plan plan;
    memset(&plan, 0, sizeof(plan));
    add_boxes(&plan, 12);
    for (uint32_t i = 0; i < 5; i++)  // two chains that end in box 11, one of them longer
        add_arrow(&plan, i, i < 4 ? i + 1 : 11, 50);
    for (uint32_t i = 5; i < 11; i++)
        add_arrow(&plan, i, i + 1, 50);
    lay_out(&plan);
    for (uint32_t i = 1; i < 5; i++)
        assert_true(plan.boxes[i].at_across == plan.boxes[0].at_across);
    for (uint32_t i = 6; i < 11; i++)
        assert_true(plan.boxes[i].at_across == plan.boxes[5].at_across);
    assert_true(plan.boxes[11].at_across != plan.boxes[0].at_across);
    rch_layout_deinit(&plan.layout);
}

static void a_tree_has_no_crossings_and_parents_stand_over_their_children(void **state)
{
    (void)state;
    static struct plan plan;
    memset(&plan, 0, sizeof(plan));
    add_boxes(&plan, 40);
    for (uint32_t i = 39; i > 0; i--)  // in an order that says nothing
        add_arrow(&plan, (i - 1) / 3, i, 20);
    lay_out(&plan);
    assert_int_equal(plan.layout.num_crossings, 0);
    for (uint32_t i = 0; i < 13; i++) {
        double least = plan.boxes[3 * i + 1].at_across, most = least;
        for (uint32_t k = 3 * i + 2; k <= 3 * i + 3; k++) {
            least = fmin(least, plan.boxes[k].at_across);
            most = fmax(most, plan.boxes[k].at_across);
        }
        assert_true(plan.boxes[i].at_across > least && plan.boxes[i].at_across < most);
    }
    rch_layout_deinit(&plan.layout);
}

static void crossings_that_can_be_avoided_are(void **state)
{
    (void)state;
    static struct plan plan;
    memset(&plan, 0, sizeof(plan));
    add_boxes(&plan, 8);
    for (uint32_t i = 0; i < 4; i++)
        add_arrow(&plan, i, 7 - i, 0);
    lay_out(&plan);
    assert_int_equal(plan.layout.num_crossings, 0);
    rch_layout_deinit(&plan.layout);
}

static void boxes_stay_on_the_layers_they_are_given(void **state)
{
    (void)state;
    static struct plan plan;
    memset(&plan, 0, sizeof(plan));
    add_boxes(&plan, 4);
    static const uint32_t layers[] = {1, 1, 0, 2};
    for (uint32_t i = 0; i < 4; i++)
        plan.boxes[i].layer = layers[i];
    add_arrow(&plan, 0, 1, 60);  // on one layer
    add_arrow(&plan, 0, 2, 60);  // upwards
    add_arrow(&plan, 2, 3, 60);  // over a layer
    lay_out(&plan);
    assert_true(plan.boxes[0].at_along == plan.boxes[1].at_along);
    assert_true(plan.boxes[2].at_along < plan.boxes[0].at_along);
    assert_true(plan.boxes[3].at_along > plan.boxes[0].at_along);
    assert_true(plan.arrows[0].is_flat && plan.arrows[0].num_bends == 1);
    assert_true(bend_at(&plan, plan.arrows[0].first_bend)->along_begin > plan.boxes[0].layer_end);
    assert_false(plan.arrows[1].is_flat);
    assert_int_equal(plan.arrows[2].num_bends, 3);
    rch_layout_deinit(&plan.layout);
}

static void nothing_at_all_can_be_laid_out(void **state)
{
    (void)state;
    static struct plan plan;
    memset(&plan, 0, sizeof(plan));
    lay_out(&plan);
    assert_true(plan.layout.across == 0 && plan.layout.along == 0);
    rch_layout_deinit(&plan.layout);
}

static void running_out_of_memory_anywhere_is_reported(void **state)
{
    (void)state;
    static struct plan plan;
    uint64_t seed = 6;
    fill_randomly(&plan, &seed);
    FOR_EACH_FAILING_ALLOC (alloc) {
        if (ok_or_enomem(rch_layout(&plan.layout, alloc, plan.boxes, plan.num_boxes, plan.arrows,
                                    plan.num_arrows, NULL)))
            rch_layout_deinit(&plan.layout);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_covers_anything),
        cmocka_unit_test(the_same_plan_is_laid_out_the_same),
        cmocka_unit_test(arrows_lead_on_but_for_those_that_close_a_cycle),
        cmocka_unit_test(a_chain_is_a_straight_line),
        cmocka_unit_test(a_tree_has_no_crossings_and_parents_stand_over_their_children),
        cmocka_unit_test(crossings_that_can_be_avoided_are),
        cmocka_unit_test(boxes_stay_on_the_layers_they_are_given),
        cmocka_unit_test(nothing_at_all_can_be_laid_out),
        cmocka_unit_test(running_out_of_memory_anywhere_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
