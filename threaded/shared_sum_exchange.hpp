// What the reductions have in common that add every rank's gradients to one shared sum, as the
// textbook's `sum += ...` of many threads does. They differ in how two ranks are kept from adding
// to one place at once; in which order ranks come to a place is left to chance in all of them.
//
//   phase     rank r writes                       rank r reads                    ended by
//   clear     chunk r of the shared sum           -                               handed[r]
//   backward  gradients[r], bucket by bucket      shared parameters               handed[r]
//   add       the shared sum, a bucket            gradients[r], the shared sum    done[r]
//   update    chunk r of parameters and state     chunk r of the shared sum       barrier
//
// done[r] counts the buckets that rank r has added.
//
// A rank adds a bucket once all have handed it over: all of the sum is cleared then, for its first
// addend is 0 + g, which is exact. A rank updates once all have added. The barrier of publish()
// ends the update, so that begin_step() clears a chunk that nobody reads any more but its own rank.
//
// The sum s of N floats in any order is off by |s - sum g_r| <= (N - 1) u sum |g_r| (1 + O(u)), u
// being 2^-24 (Higham, "Accuracy and Stability of Numerical Algorithms", 2nd edition, section 4.2):
// each of N - 1 additions rounds once, and what it rounds is at most the sum of all magnitudes.
#pragma once

#include "threaded/team_exchange.hpp"

namespace dp::threaded {

class SharedSumExchange : public TeamExchange {
public:
    void begin_step() override;
    std::span<const float> summed_gradients() const final { return shared_sum(); }

protected:
    explicit SharedSumExchange(TeamSetup setup) : TeamExchange(setup) {}

    /// Adds this rank's `range` of the gradients to the shared sum; by default as if it were alone.
    virtual void add(core::Range range);
    /// Adds the bucket that the next piece is of, and records and counts that.
    void add_bucket();
    /// The same, tells the others and goes on to the next bucket.
    void pass_bucket();
    void wait_until_all_have_done(std::size_t bucket);

    // Bucket by bucket, as soon as all have handed it over.
    bool advance() override;
    void await(std::size_t count) override;
    bool complete(std::size_t count) const override;
};

}  // namespace dp::threaded
