/** The style sheet of the HTML report, with a light and a dark theme. */
export const HTML_STYLE = `
:root { color-scheme: light dark; --ink: light-dark(#1d2433, #e4e8f0); --soft: light-dark(#5c667a, #9aa5b8);
  --paper: light-dark(#f5f6f9, #12161f); --card: light-dark(#ffffff, #1b212d); --line: light-dark(#dfe3ea, #303847);
  --good: light-dark(#12715b, #4cc9a4); --bad: light-dark(#b3261e, #ff8a80); --warm: light-dark(#8a5a00, #f2c063);
  --blue: light-dark(#1f5fbf, #82b1ff); }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
header { display: flex; gap: 1.25rem; align-items: center; padding: 2rem max(1.5rem, calc(50% - 34rem)); color: #fff; }
header.held { background: linear-gradient(110deg, #0d5c49, #17866a); }
header.broken { background: linear-gradient(110deg, #7d1914, #b93a30); }
header h1 { margin: 0; font-size: 1.6rem; line-height: 1.2; }
header small { font-weight: 400; opacity: .8; }
header p { margin: .15rem 0 0; overflow-wrap: anywhere; }
.mark { flex: none; width: 3.4rem; height: 3.4rem; border-radius: 50%; background: #ffffff2b; font-size: 1.8rem;
  display: grid; place-items: center; margin: 0; }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem; }
h2 { font-size: 1.05rem; margin: 2.25rem 0 .75rem; }
.figures { list-style: none; display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem;
  padding: 0; margin: 0; }
.figures li { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .7rem 1rem; color: var(--soft); }
.figures b { display: block; font-size: 1.3rem; color: var(--ink); font-variant-numeric: tabular-nums; }
.checks { list-style: none; padding: 0; margin: 0; columns: 2 24rem; column-gap: 2rem; }
.checks li { break-inside: avoid; padding: .3rem 0; display: flex; gap: .7rem; border-bottom: 1px solid var(--line); }
.checks span { flex: none; width: 4.2rem; font-weight: 600; }
.ok { color: var(--good); } .bad span, span.bad { color: var(--bad); }
.finding { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--bad); border-radius: .5rem;
  margin: 0 0 .9rem; padding: .2rem 1.1rem; }
.finding.warning { border-left-color: var(--warm); }
.finding summary { cursor: pointer; padding: .65rem 0; overflow-wrap: anywhere; }
.finding small, .about, .legend { color: var(--soft); }
.about { margin: 0 0 .5rem; }
dl { display: grid; grid-template-columns: 6rem minmax(0, 1fr); gap: .5rem 1rem; margin: 0 0 1rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
pre { margin: 0; padding: .7rem .9rem; background: var(--paper); border-radius: .4rem; overflow: auto; max-height: 18rem;
  font: 12.5px/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
code { font: 12.5px ui-monospace, monospace; color: var(--soft); }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .55rem .9rem; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; } th { font-size: .8rem; color: var(--soft); font-weight: 600; }
tr.bad td:last-child { color: var(--bad); font-weight: 700; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.s, .method { display: inline-block; border-radius: .3rem; padding: 0 .45rem; margin: 0 .15rem .2rem 0; font-size: .82rem;
  font-weight: 600; white-space: nowrap; border: 1px solid currentColor; font-variant-numeric: tabular-nums; }
.s2, .get { color: var(--good); } .s3, .s4, .put, .patch { color: var(--warm); } .post { color: var(--blue); }
.s5, .delete { color: var(--bad); } .stray { color: var(--card); background: var(--bad); border-color: var(--bad); }
.unseen { color: var(--warm); border-style: dashed; font-weight: 400; }
.never { color: var(--soft); border-style: dotted; font-weight: 400; opacity: .75; }
.hence { margin: 0; padding-left: 1.1rem; } tr.gap td:last-child { color: var(--warm); font-weight: 700; }
td small { display: block; font-weight: 400; color: var(--soft); }
@media (max-width: 40rem) {
  main { padding: 1rem; } .finding { padding: .2rem .8rem; } pre { max-height: 24rem; }
  dl { grid-template-columns: minmax(0, 1fr); gap: .15rem; } dd { margin-bottom: .5rem; }
  thead { display: none; } table, tbody, tr, td { display: block; }
  td, td.number { text-align: left; padding: .15rem .9rem; border: 0; overflow-wrap: anywhere; } td:empty { display: none; }
  tr { padding: .6rem 0; border-bottom: 1px solid var(--line); } tr:last-child { border: 0; }
  td.number:nth-child(3)::after { content: ' requests'; color: var(--soft); }
}
footer { max-width: 68rem; margin: 0 auto; padding: 1rem 1.5rem 3rem; color: var(--soft); }
`;
