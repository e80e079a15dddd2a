// SPDX-License-Identifier: Apache-2.0
#include "engine/run/plane_capture.h"

#include "engine/select/rescore.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace fkv::run {

using trace::Zone;

PlaneCapture::PlaneCapture(model::Transformer& transformer, const Shape& shape)
    : m_transformer(transformer), m_shape(shape) {
    const auto scored = static_cast<std::size_t>(shape.scored);
    const auto heads = static_cast<std::size_t>(transformer.config().queryHeads);
    const auto groups = static_cast<std::size_t>(transformer.config().kvHeads);
    m_layers.resize(static_cast<std::size_t>(shape.layers));
    for (Layer& layer : m_layers) {
        layer.sums.make(heads, scored);
        layer.saliency.make(groups, scored);
        layer.ranks.make(groups, scored);
    }
    if (!shape.wholePass) return;
    m_tspRanks.make(m_layers.size(), scored);
    m_mass.make(m_layers.size(), scored);
}

void PlaneCapture::take(int index, const model::Scorer::Views& views, PassScope& scope) {
    if (m_shape.scored == 0) return;
    const auto i = static_cast<std::size_t>(index);
    const Layer& layer = m_layers[i];
    scope.opAside(Zone::Capture, m_shape.scored, [&] {
        const std::array<ops::Delivery, 4> items{
            {{layer.sums.data.get(), views.windowSums},
             {layer.saliency.data.get(), views.saliency},
             {layer.ranks.data.get(), views.ranks},
             {m_shape.wholePass ? m_tspRanks.row(i).data() : nullptr, views.tspRanks}}};
        const std::uint64_t ticket = m_transformer.backend().deliver(
            std::span(items).first(m_shape.wholePass ? items.size() : items.size() - 1));
        // The scorer is about to write what the layer before came from.
        finishLayer();
        m_underWay = index;
        m_ticket = ticket;
        if (ticket == 0) finishLayer();
    });
}

void PlaneCapture::finishLayer() {
    if (m_underWay < 0) return;
    ops::Backend& backend = m_transformer.backend();
    backend.awaitDelivery(m_ticket);
    const auto i = static_cast<std::size_t>(m_underWay);
    m_underWay = -1;
    const Layer& layer = m_layers[i];
    if (m_shape.wholePass) select::sumHeads(layer.sums.all(), m_mass.row(i), backend.pool());
    const std::span<const float> saliency = layer.saliency.all();
    m_notANumber +=
        std::count_if(saliency.begin(), saliency.end(), [](float v) { return std::isnan(v); });
}

std::vector<trace::LayerPlanes> PlaneCapture::layers() {
    finishLayer();
    std::vector<trace::LayerPlanes> planes;
    for (Layer& layer : m_layers) {
        trace::LayerPlanes& p = planes.emplace_back();
        p.ranks = layer.ranks.plane();
        p.saliency = layer.saliency.plane();
        p.sums = std::make_shared<const trace::WindowSums>(layer.sums.plane());
    }
    if (m_shape.wholePass)
        m_transformer.backend().pool().parallelFor(planes.size(), [&planes](std::size_t l, int) {
            planes[l].levels = std::make_shared<const trace::RankLevels>(planes[l].ranks);
        });
    return planes;
}

trace::PlanePtr<std::uint32_t> PlaneCapture::tspRanks() {
    return m_tspRanks.plane();
}

trace::PlanePtr<float> PlaneCapture::mass() {
    return m_mass.plane();
}

} // namespace fkv::run
