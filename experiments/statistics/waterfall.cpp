#include "experiments/statistics/waterfall.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/base/check.hpp"

namespace dp::experiments::statistics {
namespace {

// A share below it is rounding of the ten parts' sums.
constexpr double kNothing = 1e-9;

constexpr auto kTimeParts = {&TimeParts::load,
                             &TimeParts::forward,
                             &TimeParts::backward,
                             &TimeParts::transfer_exposed,
                             &TimeParts::transfer_hidden,
                             &TimeParts::wait,
                             &TimeParts::update,
                             &TimeParts::publish,
                             &TimeParts::other,
                             &TimeParts::start_up};

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

std::optional<WaterfallPart> Waterfall::main_cause() const {
    if (lost_seconds() <= kNothing * measured_seconds) return std::nullopt;
    return *std::ranges::max_element(parts, {}, &WaterfallPart::seconds);
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
    const CauseRow& row = row_of(cause->cause);
    if (cause->seconds > lost * (1.0 + kNothing)) {
        return fmt::format(
            "{} {} lose {} an epoch against ideal: {} costs {}, other parts save {}: {}.",
            waterfall.workers, whose, readable(lost), row.name, readable(cause->seconds),
            readable(cause->seconds - lost), row.meaning);
    }
    return fmt::format(
        "Of the {} an epoch that {} {} lose against ideal, {} ({:.0f} %) are {}: {}.",
        readable(lost), waterfall.workers, whose, readable(cause->seconds),
        100.0 * waterfall.share(*cause), row.name, row.meaning);
}

}  // namespace dp::experiments::statistics
