// SPDX-License-Identifier: Apache-2.0
#include "engine/cli/profile.h"
#include "engine/core/error.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>

namespace {

constexpr int kDone = 0, kFault = 1, kUsage = 2, kInterrupted = 130;

void addProfileOptions(CLI::App& verb, fkv::cli::ProfileOptions& o) {
    verb.add_option("--model", o.model, "Hugging Face model folder")->required();
    auto* prompt = verb.add_option_group("prompt", "what to run");
    prompt->add_option("--prompt", o.prompt, "prompt text");
    prompt->add_option("--prompt-file", o.promptFile, "file with the prompt text");
    prompt->add_option("--ids-file", o.idsFile, "JSON array of token ids, used as they are");
    prompt->require_option(1);
    verb.add_option("--method", o.method, "full or fastkv")->check(CLI::IsMember({"full", "fastkv"}));
    verb.add_option("--tsp-layer", o.tspLayer, "TSP layer, 0-based");
    auto* rate = verb.add_option("--tsp-rate", o.tspRate, "share of tokens that pass TSP");
    verb.add_option("--tsp-tokens", o.tspTokens, "tokens that pass TSP")->excludes(rate);
    auto* kvRate = verb.add_option("--kv-rate", o.kvRate, "share of tokens every KV head keeps");
    verb.add_option("--kv-tokens", o.kvTokens, "tokens every KV head keeps")->excludes(kvRate);
    verb.add_option("--window", o.window, "window, tokens");
    verb.add_option("--kernel", o.kernel, "pooling kernel, odd");
    verb.add_option("--pooling", o.pooling, "max or avg")->check(CLI::IsMember({"max", "avg"}));
    verb.add_option("--generate", o.generate, "tokens to generate")->check(CLI::Range(1, 1 << 20));
    verb.add_option("--stop", o.stop, "cuts the shown answer before this text");
    verb.add_option("--out", o.out, "write the tensors as safetensors");
    verb.add_flag("--json", o.json, "print one JSON object");
}

int report(const std::exception& e) {
    std::fprintf(stderr, "fastkv: error: %s\n", e.what());
    return kFault;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Runs FastKV on a model and reports what it keeps, costs and saves."};
    app.require_subcommand(1);
    fkv::cli::ProfileOptions options;
    CLI::App* profile =
        app.add_subcommand("profile", "full-context reference and the chosen method on one prompt");
    addProfileOptions(*profile, options);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? kDone : kUsage;
    }
    try {
        fkv::cli::profile(options, std::cout);
        return kDone;
    } catch (const fkv::Error& e) {
        return e.code() == fkv::ErrorCode::Cancelled ? kInterrupted : report(e);
    } catch (const std::exception& e) {
        return report(e);
    }
}
