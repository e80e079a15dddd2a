// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/figure_export.h"

#include "viz/plots/panel.h"

#include <QBuffer>
#include <QFileInfo>
#include <QPainter>
#include <QPdfWriter>
#include <QSaveFile>
#include <QSvgGenerator>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr int kCaptionGap = 4;
constexpr int kMargin = 8;

struct Sheet {
    QSize figure;
    QSize whole;
    QFont font;
    int captionTop;
};

Sheet layoutSheet(Panel& panel, const FigureOptions& options) {
    Sheet s;
    s.figure = options.size.isValid() ? options.size : panel.body()->size();
    s.font = panel.font();
    s.font.setPointSizeF(s.font.pointSizeF() * 0.85);
    const QFontMetrics metrics(s.font);
    const QRect box = metrics.boundingRect(QRect(0, 0, s.figure.width(), 10000), Qt::TextWordWrap, panel.caption());
    s.captionTop = kMargin + s.figure.height() + kCaptionGap;
    s.whole = {s.figure.width() + 2 * kMargin, s.captionTop + box.height() + kMargin};
    return s;
}

void paintSheet(QPainter& painter, Panel& panel, const Sheet& sheet) {
    const QPalette colours = panel.palette();
    painter.fillRect(QRect(QPoint(), sheet.whole), colours.color(QPalette::Base));
    painter.save();
    painter.translate(kMargin, kMargin);
    painter.setClipRect(QRect(QPoint(), sheet.figure));
    panel.paintFigure(painter, sheet.figure);
    painter.restore();
    painter.setFont(sheet.font);
    painter.setPen(colours.color(QPalette::Text));
    painter.drawText(QRect(kMargin, sheet.captionTop, sheet.figure.width(), sheet.whole.height() - sheet.captionTop),
                     Qt::TextWordWrap, panel.caption());
}

QByteArray svg(Panel& panel, const Sheet& sheet) {
    QBuffer buffer;
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setSize(sheet.whole);
    generator.setViewBox(QRect(QPoint(), sheet.whole));
    generator.setTitle(panel.text().title);
    generator.setDescription(panel.caption());
    QPainter painter(&generator);
    paintSheet(painter, panel, sheet);
    painter.end();
    return buffer.data();
}

QByteArray pdf(Panel& panel, const Sheet& sheet) {
    QBuffer buffer;
    buffer.open(QIODevice::WriteOnly);
    QPdfWriter writer(&buffer);
    constexpr double kPointsOfPixel = 72.0 / 96.0;
    writer.setPageSize(QPageSize(QSizeF(sheet.whole) * kPointsOfPixel, QPageSize::Point));
    writer.setPageMargins(QMarginsF());
    writer.setResolution(96);
    writer.setTitle(panel.text().title);
    QPainter painter(&writer);
    paintSheet(painter, panel, sheet);
    painter.end();
    return buffer.data();
}

QString saveBytes(const QString& path, const QByteArray& bytes) {
    QSaveFile file(path);
    if (file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size() && file.commit()) return {};
    return QStringLiteral("%1: %2").arg(path, file.errorString());
}

}  // namespace

QImage figureImage(Panel& panel, const FigureOptions& options) {
    const Sheet sheet = layoutSheet(panel, options);
    QImage image(QSize(static_cast<int>(std::lround(sheet.whole.width() * options.scale)),
                       static_cast<int>(std::lround(sheet.whole.height() * options.scale))),
                 QImage::Format_ARGB32_Premultiplied);
    image.setDevicePixelRatio(options.scale);
    image.fill(Qt::transparent);
    QPainter painter(&image);
    paintSheet(painter, panel, sheet);
    return image;
}

QString saveFigure(Panel& panel, const QString& path, const FigureOptions& options) {
    const QString suffix = QFileInfo(path).suffix().toLower();
    if (suffix == QLatin1String("csv")) return saveText(path, panel.csv());
    if (suffix == QLatin1String("svg")) return saveBytes(path, svg(panel, layoutSheet(panel, options)));
    if (suffix == QLatin1String("pdf")) return saveBytes(path, pdf(panel, layoutSheet(panel, options)));
    if (suffix != QLatin1String("png"))
        return QStringLiteral("%1: pictures are saved as .png, .svg or .pdf, numbers as .csv").arg(path);
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    figureImage(panel, options).save(&buffer, "PNG");
    return saveBytes(path, bytes);
}

QString saveText(const QString& path, const QString& text) { return saveBytes(path, text.toUtf8()); }

}  // namespace fkv::viz
