import type { Theme } from 'vitepress';
import DefaultTheme from 'vitepress/theme';
import BenchmarkResults from './BenchmarkResults.vue';
import MethodFlow from './MethodFlow.vue';
import MethodTable from './MethodTable.vue';
import PaperRun from './PaperRun.vue';
import PictureStrip from './PictureStrip.vue';
import QuickRun from './QuickRun.vue';
import SpeedRatios from './SpeedRatios.vue';
import StudyTable from './StudyTable.vue';
import './style.css';

export default {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    app.component('BenchmarkResults', BenchmarkResults);
    app.component('MethodFlow', MethodFlow);
    app.component('MethodTable', MethodTable);
    app.component('PaperRun', PaperRun);
    app.component('PictureStrip', PictureStrip);
    app.component('QuickRun', QuickRun);
    app.component('SpeedRatios', SpeedRatios);
    app.component('StudyTable', StudyTable);
  },
} satisfies Theme;
