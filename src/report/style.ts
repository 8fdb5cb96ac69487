// The look of every page. One sheet, in the page itself: nothing is ever fetched.

/** CSS for light, dark, narrow, wide and paper. Status has a sign and a word beside its colour. */
export const style = `
:root{color-scheme:light dark;--ground:#f6f5f2;--card:#fff;--ink:#1f1e1b;--soft:#66635b;--line:#e3e0d8;--sunk:#f1efe9;
--link:#1a5fb4;--ok:#1a7f4b;--bad:#c0352b;--run:#1f6fc4;--wait:#a7a398;--off:#6e6a80;--warn:#8f5c00;--accent:#c15f3c}
@media (prefers-color-scheme:dark){:root{--ground:#191817;--card:#222120;--ink:#eceae4;--soft:#a5a198;--line:#383633;
--sunk:#2b2a28;--link:#8ab8f2;--ok:#58c98b;--bad:#f0857b;--run:#74b1f5;--wait:#6a675f;--off:#aaa5c0;--warn:#e5b567;--accent:#e08a68}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
overflow-wrap:anywhere}
header,main,footer{max-width:70rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2rem}
footer{padding-top:.5rem;padding-bottom:3rem;color:var(--soft);font-size:.85rem}
h1{font-size:1.7rem;line-height:1.25;margin:.2rem 0 .4rem;letter-spacing:-.01em;text-wrap:balance}
h2{font-size:1.1rem;margin:0 0 .75rem}
h2 small{font-weight:400;color:var(--soft);font-size:.9rem;margin-left:.35rem}
p{margin:.6rem 0}
a{color:var(--link);text-underline-offset:.15em}
.tasks a,.brand a{text-decoration-color:color-mix(in srgb,currentColor 35%,transparent)}.tasks a:hover{text-decoration-color:currentColor}
a:focus-visible,summary:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:3px}
.brand{margin:0;color:var(--accent);font-size:.8rem;font-weight:650;letter-spacing:.02em}
.under{color:var(--soft);margin:0 0 1.25rem;display:flex;flex-wrap:wrap;gap:.25rem .9rem;align-items:center}
section,.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1.1rem 1.25rem;margin:0 0 1rem}
code,pre,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.875em}
code{background:var(--sunk);border-radius:4px;padding:.1em .3em}
pre{background:var(--sunk);border-radius:8px;padding:.8rem 1rem;margin:.75rem 0;overflow:auto;line-height:1.5}
pre code{background:none;padding:0;font-size:1em}
pre.plain,pre.asked{white-space:pre-wrap}
pre.asked{font-family:inherit;font-size:1em;margin:0}
summary{cursor:pointer;color:var(--soft)}
summary b{font-weight:400;color:var(--ink)}
details pre.asked,details>pre{margin-top:.75rem}
table{border-collapse:collapse;width:100%;font-size:.925rem}
th:not([align]){text-align:left}th{font-weight:600;color:var(--soft);font-size:.8rem}
th,td{padding:.45rem .75rem .45rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th:last-child,td:last-child{padding-right:0}
tbody:last-child>tr:last-child>td{border-bottom:0}
.wide{overflow-x:auto}.wide th,.wide td{overflow-wrap:break-word}
.wide+details{margin-top:.75rem}
.tasks .p{width:60%}.look .p{width:42%}
.n.n{white-space:nowrap;text-align:right;font-variant-numeric:tabular-nums}
td.n:first-child{color:var(--soft);width:1%}
.pill{border:1px solid currentColor;border-radius:99px;padding:.05rem .65rem;font-size:.85rem;font-weight:600}
.ok .s,.ok.pill,.s.ok{color:var(--ok)}.bad .s,.bad.pill,.s.bad{color:var(--bad)}.run .s,.run.pill,.s.run{color:var(--run)}
.off .s,.off.pill,.s.off{color:var(--off)}.warn .s,.warn.pill,.s.warn{color:var(--warn)}.wait .s,.s.wait{color:var(--soft)}
.s::before{margin-right:.4em;content:"○"}
.s{white-space:nowrap}.s.t{white-space:normal}
.ok .s::before,.s.ok::before,.ok.pill::before{content:"✓"}.bad .s::before,.s.bad::before,.bad.pill::before{content:"✗"}
.run .s::before,.s.run::before,.run.pill::before{content:"●"}.off .s::before,.s.off::before,.off.pill::before{content:"⊘"}
.warn .s::before,.s.warn::before,.warn.pill::before{content:"!";font-weight:800}.pill::before{margin-right:.4em}
.bar{display:flex;gap:2px;height:14px;border-radius:7px;overflow:hidden;background:var(--sunk);border:1px solid var(--line)}
.bar i{display:block;min-width:3px}
.bar .ok{background:var(--ok)}.bar .run{background:var(--run)}.bar .off{background:var(--off)}
.bar .bad{background:repeating-linear-gradient(135deg,var(--bad) 0 6px,color-mix(in srgb,var(--bad) 65%,var(--card)) 6px 10px)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.4rem;padding:0;margin:.7rem 0 0}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.8rem 1.25rem;margin:1.1rem 0 0}
dt{color:var(--soft);font-size:.8rem}
dd{margin:0;font-weight:600;font-variant-numeric:tabular-nums}
dl.long{display:block;margin:0}dl.long>div{display:grid;grid-template-columns:10.5rem 1fr;gap:0 1rem;padding:.35rem 0;border-bottom:1px solid var(--line)}
dl.long>div:last-child{border-bottom:0}dl.long dt{font-size:.9rem}dl.long dd{font-weight:400}
.note{border-left:4px solid var(--warn);padding:.1rem 0 .1rem .9rem;margin:.9rem 0}
.card>.note{margin:0}.card>.note+.note{margin-top:.9rem}.note+.answer{margin-top:1.1rem}
.group th{color:var(--ink);font-size:.925rem;font-weight:400;background:var(--sunk);padding:.55rem .75rem}
.group~tr td:first-child{padding-left:.75rem}
.answer{overflow-wrap:anywhere}
.answer>:first-child{margin-top:0}.answer>:last-child{margin-bottom:0}
.answer h3,.answer h4,.answer h5,.answer h6{margin:1.4rem 0 .5rem;line-height:1.3}
.answer h3{font-size:1.3rem}.answer h4{font-size:1.12rem}.answer h5,.answer h6{font-size:1rem}
.answer blockquote{margin:.75rem 0;padding-left:1rem;border-left:3px solid var(--line);color:var(--soft)}
.answer ul,.answer ol{padding-left:1.5rem}.answer li{margin:.2rem 0}
.answer .check{list-style:none;margin-left:-1.3rem}
.answer hr{border:0;border-top:1px solid var(--line);margin:1.4rem 0}
.answer table{width:auto;margin:.75rem 0;min-width:50%}
.scroll{max-height:30rem;overflow:auto}
@media (max-width:40rem){header{padding-top:1.25rem}header,main,footer{padding-left:.8rem;padding-right:.8rem}
section,.card{padding:.9rem}h1{font-size:1.35rem}dl.long>div{grid-template-columns:1fr}
.tasks thead{position:absolute;clip-path:inset(50%)}
.tasks tr{display:flex;flex-wrap:wrap;gap:0 .8rem;padding:.5rem 0 .5rem 2.6rem;position:relative;border-bottom:1px solid var(--line)}.tasks .group{padding:0;border:0}
.tasks tbody:last-child>tr:last-child{border-bottom:0}
.tasks td,.tasks .group~tr td:first-child{border:0;padding:0}.tasks td.n:first-child{position:absolute;left:0;width:2rem}
.tasks td.p{flex:1 0 100%;width:auto}.tasks .group th{border:0;flex:1}.tasks td:empty{display:none}.tasks .s{white-space:normal}}
@media print{body{background:#fff}section,.card{border:0;padding:0}pre{white-space:pre-wrap}
.scroll{max-height:none}.answer a[href]::after{content:" (" attr(href) ")";color:var(--soft)}tr{break-inside:avoid}}
`.replaceAll("\n", "");
