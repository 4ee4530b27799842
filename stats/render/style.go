package render

// style is the page's one style sheet. The colours are those HAProxy's users
// read without the legend.
const style = `
:root{--page:#fff;--ink:#000;--bar:#20d0d0;--title:#b00040;--titleink:#ffff40;--plain:#e8e8d0;--line:#808080;
--up:#c0ffc0;--down:#ff9090;--rise:#ffd020;--fall:#ffffa0;--nolb:#20a0ff;--idle:#e0e0e0;--maint:#c07820;
--bup:#b0d0ff;--brise:#ff80ff;--bfall:#c060ff;--bnolb:#90b0e0;--bdrain:#cc9900;--tip:#f0f060;--link:#0000ee}
@media (prefers-color-scheme:dark){:root{--page:#131516;--ink:#e8e6e3;--bar:#1aa6a6;--title:#8d0033;--titleink:#ffff46;--plain:#2f3437;
--up:#165900;--down:#760000;--rise:#8f7000;--fall:#6c6c00;--nolb:#006ab9;--idle:#2a2d2f;--maint:#9a601a;
--bup:#2e3c4a;--brise:#7f007f;--bfall:#580092;--bnolb:#1e3c6a;--bdrain:#a37a00;--tip:#6e6e0d;--link:#3391ff}}
body{font:12px arial,helvetica,sans-serif;color:var(--ink);background:var(--page)}
h1{font-size:x-large;margin:0 0 .5em;color:#6020a0}
h2{font-size:x-large;font-style:italic;margin:0;color:#6020a0}
h3{font-size:16px;margin:0;color:#b00040;background:var(--plain)}
a{color:var(--link)}
li{margin:.25em 2em 0 0}
.hr{border:1px solid var(--line);margin-top:.25em}
.rls{letter-spacing:.2em;margin-right:1px}
table.gen{width:100%}
table.gen td{vertical-align:top;white-space:nowrap}
table.gen td.left{width:1%}
table.gen td.mid{text-align:center}
table.gen td.mid table{margin:auto}
table.lgd,table.tbl{border-collapse:collapse}
table.lgd td{border:1px solid var(--line);padding:2px}
table.lgd td.noborder{border:0;white-space:nowrap;text-align:left}
table.tbl{width:100%;font-size:10px}
table.tbl th,table.tbl td{border:1px solid var(--line)}
table.tbl td{text-align:right;padding:2px 3px;white-space:nowrap}
table.tbl td.ac{text-align:center}
table.tbl td.al{text-align:left}
table.tbl th.pxname{width:10%;background:var(--title);color:var(--titleink);padding:2px 3px;white-space:nowrap}
table.tbl th.empty{border:0;background:var(--page);width:90%}
a.px{color:var(--titleink);text-decoration:none}
a.lfsb{color:inherit;text-decoration:none}
.titre{background:var(--bar);text-align:center}
.frontend,.backend{background:var(--plain)}
.socket,.active_no_check,.backup_no_check{background:var(--idle)}
.active_up{background:var(--up)}.active_down,.backup_down{background:var(--down)}
.active_going_up{background:var(--rise)}.active_going_down{background:var(--fall)}
.active_nolb,.active_draining{background:var(--nolb)}
.backup_up{background:var(--bup)}.backup_going_up{background:var(--brise)}.backup_going_down{background:var(--bfall)}
.backup_nolb{background:var(--bnolb)}.backup_draining{background:var(--bdrain)}
.maintain{background:var(--maint)}
table.det{border-collapse:collapse;font-size:11px}
table.tbl table.det th,table.tbl table.det td{border:0;padding:0 2px;font-size:11px}
table.det th{text-align:left}
u{text-decoration:none;border-bottom:1px dotted var(--ink);position:relative}
div.tips{display:block;visibility:hidden;z-index:9;position:absolute;padding:2px 4px 3px;background:var(--tip);
border:1px solid #7040c0;border-radius:3px;box-shadow:gray 2px 2px 3px;white-space:nowrap;font-size:11px;font-weight:normal;text-align:left}
u:hover div.tips{visibility:visible}
`
