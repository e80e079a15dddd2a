// SPDX-License-Identifier: Apache-2.0
#include "engine/cli/profile.h"

#include "engine/cli/report.h"
#include "engine/core/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/json_limits.h"
#include "engine/io/json_record.h"
#include "engine/io/trace_file.h"
#include "engine/model/config.h"
#include "engine/model/model_folder.h"
#include "engine/run/session.h"
#include "engine/select/budgets.h"

#include <algorithm>
#include <ostream>

namespace fkv::cli {

namespace {

std::vector<std::int32_t> readIds(const std::filesystem::path& path) {
    const nlohmann::json list = io::readJson(path);
    if (!list.is_array())
        throw Error(ErrorCode::BadFile, path.string() + ": not a JSON array of token ids");
    std::vector<std::int32_t> ids;
    ids.reserve(list.size());
    for (const nlohmann::json& id : list) {
        const bool whole = id.is_number_integer();
        // What no vocabulary can hold is refused here, as it may not fit an id either.
        const bool fits = whole &&
                          !(id.is_number_unsigned() && id.get<std::uint64_t>() > INT32_MAX) &&
                          id.get<std::int64_t>() >= 0;
        if (!fits)
            throw Error(ErrorCode::BadFile, path.string() + ": " + io::jsonText(id).substr(0, 40) +
                                                " is not a token id");
        ids.push_back(id.get<std::int32_t>());
    }
    return ids;
}

run::PromptSpec readPrompt(const ProfileOptions& o) {
    run::PromptSpec spec;
    if (!o.idsFile.empty()) {
        spec.ids = readIds(o.idsFile);
    } else if (!o.promptFile.empty()) {
        spec.text = io::readText(o.promptFile);
        if (!io::isUtf8(spec.text))
            throw Error(ErrorCode::BadFile, o.promptFile.string() + ": not valid UTF-8");
    } else {
        spec.text = o.prompt;
    }
    if (o.chat) {
        spec.chat = {o.system, o.date.empty() ? text::today() : o.date};
        text::chatInput({o.system, {}, spec.chat->date}); // refuses a wrong date at once
    }
    return spec;
}

trace::Settings readSettings(const ProfileOptions& o, int layers) {
    trace::Settings s = select::defaultSettings(layers);
    s.method = o.method == "full" ? trace::Method::Full : trace::Method::FastKv;
    if (o.tspLayer) s.tspLayer = *o.tspLayer;
    if (o.tspRate) s.tsp = trace::Amount::ofRate(*o.tspRate);
    if (o.tspTokens) s.tsp = trace::Amount::ofTokens(*o.tspTokens);
    if (o.kvRate) s.kv = trace::Amount::ofRate(*o.kvRate);
    if (o.kvTokens) s.kv = trace::Amount::ofTokens(*o.kvTokens);
    s.window = o.window;
    s.kernel = o.kernel;
    s.pooling = o.pooling == "avg" ? trace::Pooling::Average : trace::Pooling::Max;
    s.generate = o.generate;
    s.sampling = o.sampling;
    select::validate(s, layers);
    return s;
}

} // namespace

void profile(const ProfileOptions& o, Terminal& terminal, const std::stop_token& stop,
             std::ostream& to) {
    // What is quick to refuse comes before minutes of work: settings, prompt, place for the result.
    run::Request request;
    request.prompt = readPrompt(o);
    request.settings = readSettings(o, model::readConfig(model::modelFolder(o.model)).layers);
    request.tables = !o.out.empty(); // nothing else shows them
    request.kernels = o.kernels;
    request.memory.limitBytes = o.memoryBytes;
    if (!o.out.empty()) io::AtomicFile probe(o.out);

    const auto session = run::Session::open(o.model, {o.device, 0}, terminal, stop);
    trace::RunPtr run = session->analyse(request, terminal, stop);
    if (o.measure > 0) run = session->measure(request, o.measure, terminal, stop);
    if (!o.out.empty())
        io::saveTrace(*run, o.out, stop, [&](double done) { terminal.progress({"Saving", done}); });
    terminal.clear();
    if (o.json)
        to << io::jsonText(reportJson(*run, o.stop), 2) << '\n';
    else
        printReport(*run, o.stop, to);
}

} // namespace fkv::cli
