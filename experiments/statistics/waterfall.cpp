#include "experiments/statistics/waterfall.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include <fmt/format.h>

#include "core/base/check.hpp"
#include "experiments/statistics/pairs.hpp"

namespace dp::experiments::statistics {
namespace {

// A share below it is rounding of the parts' sums.
constexpr double kNothing = 1e-9;
// Of the test of the largest of all causes, which the data chose (Bonferroni).
constexpr double kCauseLevel = 0.05 / static_cast<double>(kCauses.size());

constexpr auto kTimeParts = {&TimeParts::load,
                             &TimeParts::forward,
                             &TimeParts::backward,
                             &TimeParts::transfer_exposed,
                             &TimeParts::transfer_hidden,
                             &TimeParts::wait,
                             &TimeParts::update,
                             &TimeParts::publish,
                             &TimeParts::other,
                             &TimeParts::start_up,
                             &TimeParts::off_cpu,
                             &TimeParts::wait_for_off_cpu};

/// Three digits or so, for a sentence.
std::string readable(double seconds) {
    const double size = std::abs(seconds);
    if (size >= 99.95) return fmt::format("{:.0f} s", seconds);
    if (size >= 9.995) return fmt::format("{:.1f} s", seconds);
    if (size >= 0.0995) return fmt::format("{:.2f} s", seconds);
    if (size >= 0.00995) return fmt::format("{:.0f} ms", seconds * 1e3);
    return fmt::format("{:.2g} ms", seconds * 1e3);
}

void check_parts(const TimeParts& parts) {
    for (const CauseRow& row : kCauses) DP_CHECK(std::isfinite(row.seconds(parts)), ==, true);
    DP_CHECK(parts.total(), >, 0.0);
}

/// Whether the mean of `values` is shown to be above 0: Student's test, see paired_test().
bool above_zero(std::span<const double> values) {
    if (values.empty()) return false;
    const PairedTest test = paired_test(values);
    return test.mean > 0.0 && test.p_value < kCauseLevel;
}

std::string_view meaning_of(const CauseRow& row, const Waterfall& waterfall) {
    if (row.cause != Cause::kComputeInflation || waterfall.cpu_time_known) return row.meaning;
    return "forward and backward take longer for the same images; whether workers had a CPU all "
           "that time was not measured";
}

std::string describe_unshown(const Waterfall& waterfall, std::string_view whose,
                             const MainCause& cause) {
    const std::size_t pairs = waterfall.pairs.size();
    return fmt::format(
        "{} {} lose {} an epoch against ideal; {} pair{} of runs {} not show its main cause: {} "
        "adds {}, {} {}.",
        waterfall.workers, whose, readable(waterfall.lost_seconds()), pairs, pairs == 1 ? "" : "s",
        pairs == 1 ? "does" : "do", row_of(cause.part.cause).name, readable(cause.part.seconds),
        row_of(cause.next.cause).name, readable(cause.next.seconds));
}

}  // namespace

double TimeParts::total() const {
    double sum = 0.0;
    for (const CauseRow& row : kCauses) sum += row.seconds(*this);
    return sum;
}

TimeParts& TimeParts::operator+=(const TimeParts& more) {
    for (const auto part : kTimeParts) this->*part += more.*part;
    return *this;
}

TimeParts& TimeParts::operator*=(double factor) {
    for (const auto part : kTimeParts) this->*part *= factor;
    return *this;
}

const CauseRow& row_of(Cause cause) { return *std::ranges::find(kCauses, cause, &CauseRow::cause); }

Waterfall waterfall(const TimeParts& one, const TimeParts& several, std::size_t workers) {
    DP_CHECK(workers, >, 0U);
    check_parts(one);
    check_parts(several);
    const auto n = static_cast<double>(workers);
    Waterfall result;
    result.workers = workers;
    result.ideal_seconds = one.total() / n;
    result.measured_seconds = several.total();
    std::ranges::transform(kCauses, result.parts.begin(), [&](const CauseRow& row) {
        return WaterfallPart{row.cause, row.seconds(several) - row.seconds(one) / n, {}};
    });
    return result;
}

std::optional<MainCause> Waterfall::main_cause() const {
    if (lost_seconds() <= kNothing * measured_seconds) return std::nullopt;
    std::array<std::size_t, kCauses.size()> order{};
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::ranges::greater{},
                             [&](std::size_t i) { return parts[i].seconds; });
    MainCause cause{parts[order[0]], parts[order[1]]};
    std::vector<double> seconds;
    std::vector<double> lead;
    for (const CauseSeconds& pair : pairs) {
        seconds.push_back(pair[order[0]]);
        lead.push_back(pair[order[0]] - pair[order[1]]);
    }
    cause.shown = above_zero(seconds) && above_zero(lead);
    return cause;
}

double Waterfall::share(const WaterfallPart& part) const {
    DP_CHECK(lost_seconds(), >, 0.0);
    return part.seconds / lost_seconds();
}

std::string describe(const Waterfall& waterfall, std::string_view whose) {
    const double lost = waterfall.lost_seconds();
    const auto cause = waterfall.main_cause();
    if (!cause) {
        const std::string how =
            lost < -kNothing * waterfall.measured_seconds
                ? fmt::format("{} less than ideal (superlinear)", readable(-lost))
                : std::string("the ideal time");
        return fmt::format("{} {} lose nothing: an epoch takes {}, {}.", waterfall.workers, whose,
                           readable(waterfall.measured_seconds), how);
    }
    if (!cause->shown) return describe_unshown(waterfall, whose, *cause);
    const CauseRow& row = row_of(cause->part.cause);
    const std::string_view meaning = meaning_of(row, waterfall);
    const double most = cause->part.seconds;
    if (most > lost * (1.0 + kNothing)) {
        return fmt::format(
            "{} {} lose {} an epoch against ideal: {} costs {}, other parts save {}: {}.",
            waterfall.workers, whose, readable(lost), row.name, readable(most),
            readable(most - lost), meaning);
    }
    return fmt::format(
        "Of the {} an epoch that {} {} lose against ideal, {} ({:.0f} %) are {}, {} more than {}, "
        "the next: {}.",
        readable(lost), waterfall.workers, whose, readable(most),
        100.0 * waterfall.share(cause->part), row.name, readable(most - cause->next.seconds),
        row_of(cause->next.cause).name, meaning);
}

}  // namespace dp::experiments::statistics
