#include "experiments/report/report.hpp"

#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "experiments/machine/interrupt.hpp"
#include "experiments/report/findings.hpp"
#include "experiments/report/gnuplot.hpp"
#include "experiments/report/html.hpp"
#include "experiments/report/markdown.hpp"
#include "experiments/report/plot_data.hpp"
#include "experiments/report/sections.hpp"
#include "experiments/report/summary_file.hpp"
#include "experiments/text/files.hpp"
#include "experiments/text/output.hpp"
#include "experiments/text/terminal.hpp"

namespace dp::experiments::report {

using namespace analysis;

namespace {

constexpr const char* kHtmlName = "report.html";
constexpr const char* kMarkdownName = "report.md";

std::string subtitle_of(const Analysis& analysis) {
    const Run& first = analysis.results.runs.front();
    return fmt::format("{} on {}: {}, {} usable CPUs. {} runs.", first.settings.config.model,
                       first.settings.config.dataset,
                       first.context.at("cpu_model").get<std::string>(),
                       fmt::format("{:g}", first.context.at("usable_cpus").get<double>()),
                       analysis.results.runs.size());
}

}  // namespace

Document make_document(const Analysis& analysis, std::span<const Figure> figures) {
    Document document;
    document.title = "Data-parallel training: threads against processes";
    document.subtitle = subtitle_of(analysis);
    const Material material{analysis, figures};
    for (const auto add :
         {add_objective,   add_advice,          add_environment, add_method,     add_correctness,
          add_results,     add_epochs,          add_comparisons, add_strategies, add_designs,
          add_metrics,     add_one_and_several, add_scaling,     add_breakdown,  add_steps,
          add_models,      add_learning,        add_memory,      add_scheduling, add_threats,
          add_reproduction}) {
        add(document, material);
    }
    return document;
}

Written write_report(const std::filesystem::path& folder) try {
    const InterruptScope interrupts;
    const Analysis analysis = analyse(folder);
    const std::vector<Figure> figures = draw_plots(folder, plot_data(analysis));
    Document document = make_document(analysis, figures);
    add_own_sections(document, folder);
    Written written{folder / kHtmlName, folder / kMarkdownName, folder / kSummaryFileName,
                    find_findings(analysis)};
    write_json(written.summary, summary_json(analysis));
    write_text(written.markdown, to_markdown(document));
    write_text(written.html, to_html(document));
    return written;
} catch (const nlohmann::json::exception& error) {
    throw core::Error(core::ExitCode::kData,
                      "{}: a run's file lacks what the report needs ({}): make the runs again",
                      folder.string(), error.what());
}

void print_written(const Written& written) {
    print_line(
        fmt::format("report    {} and {}", written.html.string(), written.markdown.string()));
}

void run_report(const Request& request) {
    const ProgressLine progress(/*wanted=*/true);
    progress.show({"report", "reading " + request.folder.string(), "drawing its plots"});
    if (request.skeleton) {
        analyse(request.folder);  // no files for what is no folder of results
        make_skeleton(request.folder);
    }
    const Written written = write_report(request.folder);
    progress.clear();
    for (const std::string& finding : written.findings) print_line(finding);
    print_written(written);
}

bool is_report_file(std::string_view name) {
    return name == kHtmlName || name == kMarkdownName || name == kSummaryFileName;
}

bool has_report(const std::filesystem::path& folder) {
    return std::filesystem::exists(folder / kSummaryFileName);
}

}  // namespace dp::experiments::report
