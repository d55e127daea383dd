//! A comparison as a page for a browser.

use std::fmt::Write;

use super::Verification;

impl Verification {
    /// A small page of its own, for a browser.
    #[must_use]
    pub fn html(&self) -> String {
        let mut page = String::from(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Hindcast: verification</title><style>\
             body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1c2330}\
             table{border-collapse:collapse;margin:.5rem 0 1.5rem}th,td{padding:.2rem .8rem .2rem 0;text-align:left}\
             th{border-bottom:1px solid #b8c0cc}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\
             .ok{color:#1a7f37}.bad{color:#b42318}rect{fill:#4c78a8}text{font-size:11px}</style>",
        );
        let (class, verdict) =
            if self.within_tolerance { ("ok", "within tolerance") } else { ("bad", "NOT within tolerance") };
        let (old, new) = (escaped(&self.old), escaped(&self.new));
        put(&mut page, format_args!("<h1>{new} beside {old}: <span class=\"{class}\">{verdict}</span></h1>"));
        page.push_str("<h2>Rows</h2><table><tr><th>projection<th class=n>compared<th class=n>different<th class=n>only old<th class=n>only new<th class=n>unsettled<th>not compared");
        for rows in &self.rows {
            let left_out = escaped(&rows.not_compared.join("; "));
            put(
                &mut page,
                format_args!(
                    "<tr><td>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}<td>{left_out}",
                    escaped(&rows.projection),
                    rows.compared,
                    rows.different,
                    rows.only_old,
                    rows.only_new,
                    rows.unsettled
                ),
            );
        }
        page.push_str("</table>");
        if self.rows.iter().any(|rows| !rows.differences.is_empty()) {
            page.push_str("<h2>First differences</h2><table><tr><th>row<th>field<th>old<th>new");
            for (rows, found) in
                self.rows.iter().flat_map(|rows| rows.differences.iter().map(move |found| (rows, found)))
            {
                put(
                    &mut page,
                    format_args!(
                        "<tr><td>{} {}<td>{}<td>{}<td>{}",
                        escaped(&rows.projection),
                        escaped(&found.key),
                        escaped(&found.field),
                        escaped(&found.old),
                        escaped(&found.new)
                    ),
                );
            }
            page.push_str("</table>");
        }
        self.effect_html(&mut page);
        page.push_str("<h2>Records</h2>");
        if self.verdicts.records == 0 {
            page.push_str("<p>Both admissions are the same: so is the verdict on every record.</p>");
        } else {
            put(
                &mut page,
                format_args!(
                    "<p>{} of {} records looked at have another verdict.</p>",
                    self.verdicts.different, self.verdicts.records
                ),
            );
        }
        if !self.verdicts.listed.is_empty() {
            page.push_str("<table><tr><th>position<th>old<th>new");
            for found in &self.verdicts.listed {
                put(
                    &mut page,
                    format_args!(
                        "<tr><td>{}<td>{}<td>{}",
                        escaped(&found.position),
                        escaped(&found.old),
                        escaped(&found.new)
                    ),
                );
            }
            page.push_str("</table>");
        }
        page.push_str("</html>\n");
        page
    }

    fn effect_html(&self, page: &mut String) {
        const WIDTH: f64 = 420.0;
        let effect = &self.effect;
        put(
            page,
            format_args!(
                "<h2>Answers</h2><p>Of the last {} decisions {} would have another confidence, {} another action \
                 ({} SKIP to TAKE, {} TAKE to SKIP). Mean change {:.4}.</p>",
                effect.decisions,
                effect.changed,
                effect.flipped(),
                effect.skip_to_take,
                effect.take_to_skip,
                effect.mean_absolute_change
            ),
        );
        let most = effect.sizes.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
        let height = effect.sizes.len() * 20;
        put(page, format_args!("<svg width=640 height={height} role=img aria-label=\"sizes of changes\">"));
        for (row, (bound, count)) in effect.sizes.iter().enumerate() {
            let label = bound.map_or_else(|| "more".to_owned(), |bound| format!("below {bound}"));
            #[allow(clippy::cast_precision_loss)] // a picture
            let width = WIDTH * *count as f64 / most as f64;
            let (top, base) = (row * 20 + 3, row * 20 + 14);
            put(
                page,
                format_args!(
                    "<text x=0 y={base}>{label}</text><rect x=90 y={top} width={width:.1} height=14 />\
                     <text x={:.1} y={base}>{count}</text>",
                    96.0 + width
                ),
            );
        }
        page.push_str("</svg>");
        if !effect.largest.is_empty() {
            page.push_str("<h3>Largest changes</h3><table><tr><th>decision<th>user<th>symbol<th class=n>old<th class=n>new<th>action");
            for change in &effect.largest {
                put(
                    page,
                    format_args!(
                        "<tr><td>{}<td>{}<td>{}<td class=n>{:.4}<td class=n>{:.4}<td>{} → {}",
                        change.decision_id,
                        escaped(&change.user),
                        escaped(&change.symbol),
                        change.old_confidence,
                        change.new_confidence,
                        escaped(&change.old_action),
                        escaped(&change.new_action)
                    ),
                );
            }
            page.push_str("</table>");
        }
    }
}

/// Text into a page; a `String` takes everything.
fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = page.write_fmt(text);
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
