export type { IntervalRow } from './charts/intervals.ts';
export { type LossCurveOptions, lossCurve } from './loss-curve.ts';
export type { PageHead } from './page.ts';
export { type Picture, type PictureSheetOptions, pictureSheet } from './picture-sheet.ts';
export type { Evaluation, Fact, Report, SampleViews } from './report.ts';
export { reportHtml } from './report-html.ts';
export { type IntervalPlot, type StudyPage, studyHtml } from './study-html.ts';
export type { FigureTable } from './tables.ts';
