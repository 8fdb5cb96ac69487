// The look of every page. One sheet inside the page, so that nothing is fetched.

/** CSS for light, dark, narrow, wide and paper. Status has a sign and a word beside its colour. */
export const style = `
:root{color-scheme:light dark;--ground:#f6f5f2;--card:#fff;--ink:#1f1e1b;--soft:#66635b;--line:#e3e0d8;--edge:#8d897e;--sunk:#f1efe9;
--link:#1a5fb4;--ok:#1a7f4b;--bad:#c0352b;--run:#1f6fc4;--wait:#a7a398;--off:#6e6a80;--warn:#8f5c00;--accent:#a94d2c}
@media (prefers-color-scheme:dark){:root{--ground:#191817;--card:#222120;--ink:#eceae4;--soft:#a5a198;--line:#383633;--edge:#7d7970;
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
a:focus-visible,[role=region]:focus-visible,summary:focus-visible,button:focus-visible,input:focus-visible,select:focus-visible,#lanes:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:3px}
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
.wide td ul{margin:0;padding-left:1.1rem}.short{white-space:nowrap}
.wide{overflow-x:auto}.wide th,.wide td{overflow-wrap:break-word}
.wide+details{margin-top:.75rem}
.tasks .p{width:60%}.look .p{width:42%}
#task-table{table-layout:fixed}#task-table .p{width:auto}#task-table th:nth-child(1){width:4rem}#task-table .s{white-space:normal}#task-table th:nth-child(3){width:11.5rem}#task-table th:nth-child(n+4){width:7rem}
.n.n{white-space:nowrap;text-align:right;font-variant-numeric:tabular-nums}
td.n:first-child{color:var(--soft);width:1%}td.n:first-child a{color:inherit}
.pill{border:1px solid currentColor;border-radius:99px;padding:.05rem .65rem;font-size:.85rem;font-weight:600}
.ok .s,.ok.pill,.s.ok{color:var(--ok)}.bad .s,.bad.pill,.s.bad{color:var(--bad)}.run .s,.run.pill,.s.run{color:var(--run)}
.off .s,.off.pill,.s.off{color:var(--off)}.warn .s,.warn.pill,.s.warn{color:var(--warn)}.wait .s,.s.wait{color:var(--soft)}
.s::before{margin-right:.4em;content:"○"}
.s{white-space:nowrap}.s.t{white-space:normal}.look .s.t{color:var(--ink)}.bad .s.t::before{color:var(--bad)}.warn .s.t::before{color:var(--warn)}
.ok .s::before,.s.ok::before,.ok.pill::before{content:"✓"}.bad .s::before,.s.bad::before,.bad.pill::before{content:"✗"}
.run .s::before,.s.run::before,.run.pill::before{content:"●"}.off .s::before,.s.off::before,.off.pill::before{content:"⊘"}
.warn .s::before,.s.warn::before,.warn.pill::before{content:"!";font-weight:800}.pill::before{margin-right:.4em}
[hidden]{display:none!important}
.skip{position:absolute;left:.5rem;top:.5rem;padding:.4rem .8rem;background:var(--card);border-radius:6px;z-index:1}.skip:not(:focus){clip-path:inset(50%);pointer-events:none}
.unseen{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.bar{display:block;border-radius:7px;background:var(--sunk)}
rect.ok,path.ok{fill:var(--ok)}rect.run,path.run{fill:var(--run)}rect.off,path.off{fill:var(--off)}rect.bad,path.bad{fill:var(--bad)}path.warn{fill:var(--warn)}path.ok{opacity:.72}
.bar rect{stroke:var(--card);stroke-width:1px}
#lanes{position:relative;border-radius:6px;cursor:crosshair}
.bars{display:block;border-bottom:1px solid var(--line)}.grid{stroke:var(--line);stroke-width:1px;vector-effect:non-scaling-stroke;fill:none}
.axis{display:block;font-size:11px;overflow:visible}.axis text{fill:var(--soft);font-variant-numeric:tabular-nums}
#mark{position:absolute;border:2px solid var(--ink);border-radius:2px;pointer-events:none;box-shadow:0 0 0 1px var(--card)}
#readout{color:var(--soft);font-size:.875rem;margin:.35rem 0 .6rem;min-height:1.55em;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.longest{padding-left:1.4rem;font-size:.925rem;margin:.6rem 0 0}.longest li{margin:.25rem 0}.longest b{font-variant-numeric:tabular-nums}
.tools{display:flex;flex-wrap:wrap;gap:.5rem .9rem;align-items:center;margin:0 0 .75rem;font-size:.9rem;color:var(--soft)}
input,select,button{font:inherit;color:inherit}
input[type=search],select{color:var(--ink);background:var(--ground);border:1px solid var(--edge);border-radius:8px;padding:.25rem .6rem}
input[type=search]{width:14rem;max-width:100%}::placeholder{color:var(--soft);opacity:1}
.chips{display:flex;flex-wrap:wrap;gap:.35rem}
.chips button,button[data-copy]{background:none;border:1px solid var(--line);border-radius:99px;padding:.15rem .7rem;cursor:pointer;color:var(--ink)}
.chips span{color:var(--soft);font-variant-numeric:tabular-nums}
.chips button:hover,button[data-copy]:hover{border-color:var(--edge)}
.chips [aria-pressed=true]{background:var(--ink);border-color:var(--ink);color:var(--card)}.chips [aria-pressed=true] span{color:inherit}
.hit{display:block;color:var(--soft);font-size:.9em}mark{background:color-mix(in srgb,var(--accent) 26%,transparent);color:var(--ink);border-radius:2px}#reach{flex-basis:100%;margin:0}
.order{display:none}#shown{margin-left:auto;font-variant-numeric:tabular-nums}
th button{background:none;border:0;padding:0;font-weight:inherit;cursor:pointer}
th button:hover{color:var(--ink);text-decoration:underline}
th[aria-sort]{color:var(--ink)}th[aria-sort] button::after{content:" ↑"}th[aria-sort=descending] button::after{content:" ↓"}
tr:target{background:color-mix(in srgb,var(--accent) 14%,transparent)}
.steps{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;margin:.25rem 0;font-size:.9rem}
button[data-copy]{font-size:.8rem}
.card.note{border-left:4px solid var(--warn);padding:.7rem 1rem}
.links{padding-left:1.2rem}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.4rem;padding:0;margin:.7rem 0 0}
dl{display:flex;flex-wrap:wrap;gap:.8rem 2.75rem;margin:1.1rem 0 0}
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
.answer .check{list-style:none;margin-left:-1.3rem}.answer .check>ul,.answer .check>ol{margin-left:1.3rem}
.answer hr{border:0;border-top:1px solid var(--line);margin:1.4rem 0}
.answer table{width:auto;margin:.75rem 0;min-width:50%}
.scroll{max-height:30rem;overflow:auto}
@media (max-width:40rem){header{padding-top:1.25rem}header,main,footer{padding-left:.8rem;padding-right:.8rem}
section,.card{padding:.9rem}h1{font-size:1.35rem}dl.long>div{grid-template-columns:1fr}
.tasks thead{position:absolute;clip-path:inset(50%)}.tasks thead:focus-within{position:static;clip-path:none}
.tasks tr{display:flex;flex-wrap:wrap;gap:0 .8rem;padding:.5rem 0 .5rem 2.6rem;position:relative;border-bottom:1px solid var(--line)}.tasks .group{padding:0;border:0}
.tasks tbody:last-child>tr:last-child{border-bottom:0}
dl:not(.long){gap:.8rem 1.75rem}.tools .order{display:block}.search,input[type=search]{width:100%}
.tasks td,.tasks .group~tr td:first-child{border:0;padding:0}.tasks td.n:first-child{position:absolute;left:0;width:2rem}
.tasks td.p{flex:1 0 100%;width:auto}.tasks .group th{border:0;flex:1}#readout{white-space:normal;min-height:4.65em}
.tasks td:empty{display:none}.tasks .s{white-space:normal}}
@media print{:root{color-scheme:light;--ground:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--sunk:#fff;--link:#000;--ok:#0d5c34;--bad:#9c1f16;--run:#134f8f;--off:#4c4860;--warn:#6b4400;--wait:#666;--accent:#7a3216}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
header,main,footer{max-width:none;padding-left:0;padding-right:0}section,.card{border:0;padding:0;border-radius:0}
body{font-size:10pt}pre{white-space:pre-wrap}.tools,.steps,#silence,#mark,button[data-copy]{display:none}
.scroll{max-height:none}tr,li{break-inside:avoid}h2{break-after:avoid}th[aria-sort] button::after{content:""}
details::details-content{content-visibility:visible;block-size:auto}.skip{display:none}
.answer a:not(.bare)[href^=http]::after,.answer a:not(.bare)[href^=mailto]::after{content:" (" attr(href) ")";color:var(--soft)}
.tasks td.p a:not([href^="#"])::after,.links a[href]::after{content:" " attr(href);color:var(--soft);font-size:.8em}}
`.replaceAll("\n", "");
