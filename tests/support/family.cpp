// SPDX-License-Identifier: Apache-2.0
#include "tests/support/family.h"

#include "engine/io/safetensors.h"
#include "engine/run/standalone.h"
#include "engine/select/budgets.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace fkv::testing {

namespace fs = std::filesystem;

namespace {

const fs::path kFamilies = fs::absolute(FKV_TEST_DATA "/families");

template <class T>
std::vector<T> valuesOf(const io::SafetensorsFile& file, const std::string& name) {
    const io::TensorEntry* entry = file.find(name);
    std::vector<T> values(static_cast<std::size_t>(entry->elements()));
    std::memcpy(values.data(), entry->bytes.data(), entry->bytes.size());
    return values;
}

std::vector<std::vector<float>> rowsOf(const io::SafetensorsFile& file, const std::string& name) {
    const std::vector<float> all = valuesOf<float>(file, name);
    const auto cols = static_cast<std::size_t>(file.find(name)->shape.back());
    std::vector<std::vector<float>> rows;
    for (std::size_t at = 0; at < all.size(); at += cols)
        rows.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(at),
                          all.begin() + static_cast<std::ptrdiff_t>(at + cols));
    return rows;
}

} // namespace

std::vector<std::string> Family::names() {
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(kFamilies))
        if (fs::exists(entry.path() / "config.json"))
            names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

Family::Family(const std::string& name) {
    const auto file = io::SafetensorsFile::open(kFamilies / name / "expected.safetensors");
    m_ids = valuesOf<std::int32_t>(file, "ids");
    m_lengths = valuesOf<std::int32_t>(file, "lengths");
    m_expected = {rowsOf(file, "prompts"), rowsOf(file, "steps")};
    fs::create_symlink(kFamilies / name / "config.json", m_folder / "config.json");
    fs::create_symlink(kFamilies / "weights" / (file.metadata().at("weights") + ".safetensors"),
                       m_folder / "model.safetensors");
    // Ids are given as they are; the tokenizer only spells them.
    fs::create_symlink(fs::absolute(FKV_RESOURCES "/models/demo/tokenizer.model"),
                       m_folder / "tokenizer.model");
}

FamilyLogits logitsOf(run::LoadedModel& model, const Family& family) {
    Gate gate;
    const std::stop_token stop;
    const run::RunContext context{model, gate, stop};
    trace::Settings settings = select::defaultSettings(model.config().layers);
    settings.method = trace::Method::Full;
    FamilyLogits logits;
    for (const std::int32_t length : family.lengths()) {
        const auto ids = family.ids().first(static_cast<std::size_t>(length));
        const trace::Budgets budgets = select::computeBudgets(settings, model.info(), length);
        run::Standalone pass(context, {ids, budgets, {}});
        pass.run();
        logits.prompts.push_back(pass.logits());
        if (length != family.lengths().back()) continue;
        const auto tokens = family.ids().subspan(ids.size());
        auto cache = pass.decodeCache(static_cast<std::int64_t>(tokens.size()));
        model::Transformer& transformer = model.transformer();
        const ops::Tensor out = transformer.memory().matrix(1, model.config().vocabulary);
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            std::vector<float>& row = logits.steps.emplace_back(pass.logits().size());
            transformer.backend().decodeStep(
                transformer.decodePlan(tokens.subspan(i, 1), length + static_cast<std::int64_t>(i),
                                       cache.layers, out.view));
            transformer.backend().readback(row.data(), out.view);
            transformer.backend().synchronize();
        }
    }
    return logits;
}

double difference(std::span<const float> got, std::span<const float> expected) {
    if (got.size() != expected.size()) return HUGE_VAL;
    double most = 0.0, size = 0.0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        const double apart = std::abs(double{got[i]} - double{expected[i]});
        most = apart > most || std::isnan(apart) ? apart : most;
        size = std::max(size, std::abs(double{expected[i]}));
    }
    return most / size;
}

} // namespace fkv::testing
