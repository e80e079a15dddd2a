// SPDX-License-Identifier: Apache-2.0
#include "engine/text/jinja/template.h"
#include "tests/fuzz/target.h"

using namespace fkv;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // Less than a real one may cost, so that many are tried in a second.
    text::jinja::Limits limits;
    limits.steps = 20'000;
    limits.workBytes = 4 << 20;
    limits.outputBytes = 1U << 20;
    const nlohmann::ordered_json variables{{"messages",
                                            {{{"role", "system"}, {"content", "Be brief."}},
                                             {{"role", "user"},
                                              {"content", " Gr\xC3\xBC\xC3\x9F"
                                                          "e "}}}},
                                           {"bos_token", "<s>"},
                                           {"eos_token", "</s>"},
                                           {"tools", nullptr},
                                           {"add_generation_prompt", true}};
    fuzz::readsOrRefuses([&] {
        const text::jinja::Template chat(fuzz::asText(data, size), limits);
        const std::string once = chat.render(variables, {});
        fuzz::check(once.size() <= limits.outputBytes, "the text keeps to its bound");
        fuzz::check(once == chat.render(variables, {}), "the same twice");
    });
    return 0;
}
